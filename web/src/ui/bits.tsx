// SPDX-License-Identifier: Apache-2.0
// The small parts every section uses: chips, name-value pairs, section heads.

import type { ComponentChildren } from 'preact';
import { words } from '../lib/format';

export type Tone = 'neutral' | 'charge' | 'discharge' | 'good' | 'warning' | 'alarm';

export function Chip({ tone = 'neutral', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`chip chip-${tone}`}>{children}</span>;
}

/** A pair in a description list. */
export function Fact({ name, value, note }: { name: string; value: string; note?: string | undefined }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>
        {value}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}

interface SectionProps {
  id: string;
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

export function Section({ id, title, aside, class: extra = '', children }: SectionProps) {
  return (
    <section id={id} class={`card ${extra}`} aria-labelledby={`${id}-title`}>
      <header class="card-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

interface AlarmsProps {
  protections: string[];
  warnings: string[];
  /** Says where an alarm comes from, if anywhere in particular. */
  whereOf?: (name: string) => string;
}

/** Protections (the BMS acted) before warnings (it may soon). */
export function Alarms({ protections, warnings, whereOf = () => '' }: AlarmsProps) {
  const chip = (name: string, tone: Tone) => (
    <Chip key={`${tone}-${name}`} tone={tone}>
      {words(name)}
      {whereOf(name)}
    </Chip>
  );
  return (
    <>
      {protections.map((name) => chip(name, 'alarm'))}
      {warnings.map((name) => chip(name, 'warning'))}
    </>
  );
}

export function PackLink({ pack, cell, onPack }: { pack: number; cell?: number | null; onPack: (pack: number) => void }) {
  return (
    <button type="button" class="link" onClick={() => onPack(pack)}>
      Pack {pack}
      {cell ? `, cell ${cell}` : ''}
    </button>
  );
}
