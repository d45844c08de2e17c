// SPDX-License-Identifier: Apache-2.0
// The rack, one row per pack: a table on a wide screen, a list of cards on a phone (the same elements, laid out by
// CSS; the roles are written out because a table that is laid out as a grid loses them in some browsers).

import type { Flag, Pack, PackState, Setting } from '../api';
import { cellStats, temperatureRange } from '../lib/cells';
import { age, DASH, floorTo, known, num, signed, unit, words } from '../lib/format';
import { clamp, currentBar } from '../lib/scale';
import { textOf } from '../lib/settings';
import { Alarms, Chip, Section, type Tone } from './bits';
import { KeysHere } from './settings';
import '../style/stack.css';

const TONES: Record<PackState, Tone> = {
  active: 'good',
  candidate: 'neutral',
  probing: 'neutral',
  absent: 'neutral',
  held: 'warning',
  lost: 'alarm',
  quarantined: 'alarm',
};

export function CurrentBar({ pack }: { pack: Pack }) {
  const bar = currentBar(pack.current_a, pack.charge_current_limit_a, pack.discharge_current_limit_a);
  const limits = `Limits: charge ${unit(pack.charge_current_limit_a, 0, 'A')}, discharge ${unit(pack.discharge_current_limit_a, 0, 'A')}`;
  return (
    <span class="bar" title={limits}>
      <span class={`bar-fill bar-${bar.side}${bar.over ? ' bar-over' : ''}`} style={{ width: `${bar.fill * 50}%` }} />
    </span>
  );
}

export function Mos({ name, on }: { name: 'Charge' | 'Discharge'; on: Flag }) {
  const state = on === null || on === undefined ? 'unknown' : on ? 'on' : 'off';
  return (
    <span class={`mos mos-${state}`} title={`${name} MOSFET ${state}`}>
      <span aria-hidden="true">{name.charAt(0)}</span>
      <span class="hidden">{`${name} MOSFET ${state}`}</span>
    </span>
  );
}

export function SocBar({ soc }: { soc: Pack['soc_pct'] }) {
  return (
    <span class="meter" aria-hidden="true">
      <span class="meter-fill" style={{ width: `${known(soc) ? clamp(soc, 0, 100) : 0}%` }} />
    </span>
  );
}

function Cells({ pack }: { pack: Pack }) {
  const stats = cellStats(pack.cells_v);
  if (stats === null) return <>{DASH}</>;
  return (
    <>
      <span class="nowrap">
        {num(stats.min, 3)} … {unit(stats.max, 3, 'V')}
      </span>
      <span class="sub">{unit(stats.spreadMv, 0, 'mV')} spread</span>
    </>
  );
}

function temperatureText(pack: Pack): string {
  const { min, max } = temperatureRange(pack);
  if (!known(min) || !known(max)) return DASH;
  return max - min < 1 ? unit(max, 0, '°C') : `${num(min)} … ${unit(max, 0, '°C')}`;
}

/** What a candidate is waiting for. */
function Waiting({ pack, settings }: { pack: Pack; settings: Setting[] }) {
  const close = textOf(settings, 'join_voltage_v');
  const time = textOf(settings, 'join_time_s');
  if (pack.state !== 'candidate' || close === null || time === null) return null;
  return (
    <span class="sub" data-testid="join">
      joins within {close} of the others for {time}
    </span>
  );
}

function Row({ pack, settings, onPack }: { pack: Pack; settings: Setting[]; onPack: (pack: number) => void }) {
  const open = (event: Event): void => {
    event.stopPropagation();
    onPack(pack.pack);
  };
  return (
    <tr role="row" class={`row row-${pack.state}`} onClick={open} data-pack={pack.pack} data-state={pack.state}>
      <th role="rowheader" scope="row" class="c-pack">
        <button type="button" class="pack-button" onClick={open} aria-label={`Pack ${pack.pack}, show details`}>
          {pack.pack}
        </button>
      </th>
      <td role="cell" class="c-bus">
        {pack.bus ?? DASH} <span class="sub-inline">/ {num(pack.address)}</span>
      </td>
      <td role="cell" class="c-state">
        <Chip tone={TONES[pack.state] ?? 'neutral'}>{words(pack.state)}</Chip>
        <Waiting pack={pack} settings={settings} />
      </td>
      <td role="cell" class="c-soc">
        <span class="value">{unit(floorTo(pack.soc_pct, 1), 1, '%')}</span>
        <SocBar soc={pack.soc_pct} />
      </td>
      <td role="cell" class="c-volt num">{unit(pack.voltage_v, 2, 'V')}</td>
      <td role="cell" class="c-amp">
        <span class="value">{known(pack.current_a) ? `${signed(pack.current_a, 1)}\u00a0A` : DASH}</span>
        <CurrentBar pack={pack} />
      </td>
      <td role="cell" class="c-share num" title={known(pack.share_confidence_pct) ? `Learned to ${num(pack.share_confidence_pct)} %; the rest is by capacity` : undefined}>
        {unit(pack.share_pct, 1, '%')}
      </td>
      <td role="cell" class="c-cells">
        <Cells pack={pack} />
      </td>
      <td role="cell" class="c-temp nowrap">{temperatureText(pack)}</td>
      <td role="cell" class="c-mos">
        <Mos name="Charge" on={pack.charge_mos} />
        <Mos name="Discharge" on={pack.discharge_mos} />
      </td>
      <td role="cell" class="c-age num">{age(pack.age_s)}</td>
      <td role="cell" class="c-alarm">
        <Alarms protections={pack.protections} warnings={pack.warnings} />
      </td>
    </tr>
  );
}

const HEADS: [string, string, string][] = [
  ['c-pack', 'Pack', ''],
  ['c-bus', 'Bus / address', ''],
  ['c-state', 'State', ''],
  ['c-soc', 'SOC', 'State of charge'],
  ['c-volt num', 'Voltage', ''],
  ['c-amp', 'Current', 'Against its own limit: discharging to the left, charging to the right'],
  ['c-share num', 'Share', 'Share of a change of the total current'],
  ['c-cells', 'Cells', 'Lowest and highest cell'],
  ['c-temp', 'Temp.', 'Lowest and highest sensor'],
  ['c-mos', 'MOSFETs', 'C: charge, D: discharge'],
  ['c-age num', 'Age', 'Since the last complete answer'],
  ['c-alarm', 'Alarms', ''],
];

interface Props {
  packs: Pack[];
  settings?: Setting[];
  onPack: (pack: number) => void;
}

export function Stack({ packs, settings = [], onPack }: Props) {
  return (
    <Section id="stack" title="Packs" aside={<span class="hint">Select a pack for its cells and details</span>}>
      <div class="stack-scroll">
        <table class="stack" role="table" data-testid="stack">
          <thead role="rowgroup">
            <tr role="row">
              {HEADS.map(([name, text, title]) => (
                <th key={text} role="columnheader" scope="col" class={name} title={title || undefined}>
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {packs.map((pack) => (
              <Row key={pack.pack} pack={pack} settings={settings} onPack={onPack} />
            ))}
          </tbody>
        </table>
      </div>
      {packs.length === 0 && <p class="note">No pack has answered yet.</p>}
      <KeysHere settings={settings} place="packs" text="Settings for joining, silence and doubt" />
    </Section>
  );
}
