// SPDX-License-Identifier: Apache-2.0
// What each inverter is told and whether it listens: one card per inverter.

import type { Inverter } from '../api';
import { age, known, num, unit } from '../lib/format';
import { Chip, Fact, Section, type Tone } from './bits';
import '../style/inverters.css';

const LINKS: Record<Inverter['link'], { text: string; tone: Tone }> = {
  up: { text: 'Link up', tone: 'good' },
  down: { text: 'Link down', tone: 'warning' },
  error: { text: 'Link error', tone: 'alarm' },
};

function heard(inverter: Inverter): string {
  if (!known(inverter.heard_s)) return 'Never heard from the inverter';
  const when = `${age(inverter.heard_s)} ago`;
  return inverter.present === false ? `Inverter is silent, last heard ${when}` : `Inverter heard ${when}`;
}

function Card({ inverter: i }: { inverter: Inverter }) {
  const link = LINKS[i.link] ?? LINKS.down;
  const counts = [
    { name: 'Frames sent', value: num(i.frames_sent) },
    { name: 'Requests', value: num(i.requests) },
    { name: 'Errors', value: num(i.errors) },
  ];
  return (
    <li class={`inverter inverter-${i.link}`} data-testid="inverter">
      <header>
        <h3>{i.title || i.protocol}</h3>
        <Chip tone={link.tone}>{link.text}</Chip>
        {i.lease === 'expired' && <Chip tone="alarm">Lease expired: sending zero limits</Chip>}
      </header>
      <p class="inverter-where">
        {i.protocol} on {i.port}
      </p>
      <p class={`inverter-heard ${i.present === false || !known(i.heard_s) ? 'inverter-silent' : ''}`}>{heard(i)}</p>
      {i.detail && <p class="inverter-detail">{i.detail}</p>}
      <dl class="facts">
        <Fact name="Charge voltage" value={unit(i.charge_voltage_limit_v, 1, 'V')} />
        <Fact name="Charge current" value={unit(i.charge_current_limit_a, 1, 'A')} />
        <Fact name="Discharge current" value={unit(i.discharge_current_limit_a, 1, 'A')} />
        <Fact name="Sent" value={known(i.last_sent_s) ? `${age(i.last_sent_s)} ago` : 'never'} />
      </dl>
      <p class="inverter-counts">{counts.map(({ name, value }) => `${name} ${value}`).join(' · ')}</p>
    </li>
  );
}

export function Inverters({ inverters }: { inverters: Inverter[] | null }) {
  return (
    <Section id="inverters" title="What the inverters see">
      {inverters?.length === 0 && <p class="note">No inverter is configured.</p>}
      <ul class="inverters">
        {(inverters ?? []).map((inverter) => (
          <Card key={inverter.inverter} inverter={inverter} />
        ))}
      </ul>
    </Section>
  );
}
