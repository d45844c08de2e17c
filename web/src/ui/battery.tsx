// SPDX-License-Identifier: Apache-2.0
// The battery at a glance. The gauge is the rack itself: one battery outline, one segment per pack, each filled to
// that pack's own state of charge, so that the one number and the packs it is made of are seen together.

import type { Battery, BatteryState, Pack, Setting } from '../api';
import { timeLeft, type Smoothed } from '../lib/estimate';
import { DASH, duration, floorTo, known, num, power, signed, unit } from '../lib/format';
import { clamp } from '../lib/scale';
import { textOf } from '../lib/settings';
import { Alarms, Chip, Fact, type Tone } from './bits';
import { KeysHere } from './settings';
import '../style/battery.css';

const STATES: Record<BatteryState, { text: string; tone: Tone }> = {
  charging: { text: 'Charging', tone: 'charge' },
  discharging: { text: 'Discharging', tone: 'discharge' },
  standby: { text: 'Standby', tone: 'neutral' },
  fault: { text: 'Fault', tone: 'alarm' },
  no_data: { text: 'No data', tone: 'warning' },
};

const percent = (value: number): string => `${clamp(value, 0, 100)}%`;

function Segment({ pack, onPack }: { pack: Pack; onPack: (pack: number) => void }) {
  const title = `Pack ${pack.pack}: ${known(pack.soc_pct) ? unit(floorTo(pack.soc_pct, 1), 1, '%') : pack.state}`;
  return (
    <div class={`segment segment-${pack.state}`} title={title} onClick={() => onPack(pack.pack)}>
      {known(pack.soc_pct) && <div class="segment-fill" style={{ transform: `translateY(${percent(100 - pack.soc_pct)})` }} />}
      <span class="segment-number">{pack.pack}</span>
    </div>
  );
}

function Gauge({ battery, onPack }: { battery: Battery | null; onPack: (pack: number) => void }) {
  const soc = floorTo(battery?.soc_pct, 1);
  const packs = battery?.packs ?? [];
  return (
    <div class={`gauge gauge-${battery?.state ?? 'no_data'}`} role="img" aria-label={`Battery ${num(soc, 1)} percent full`}>
      <div class="gauge-body">
        <div class="gauge-packs">
          {packs.map((pack) => (
            <Segment key={pack.pack} pack={pack} onPack={onPack} />
          ))}
        </div>
        {known(soc) && <div class="gauge-line" style={{ bottom: percent(soc) }} />}
      </div>
      <div class="gauge-pole" />
    </div>
  );
}

function Forecast({ battery, current }: { battery: Battery | null; current: Smoothed | null }) {
  const left = timeLeft(battery?.remaining_ah ?? null, battery?.capacity_ah ?? null, current?.value ?? null);
  const label = left === null ? 'Time left' : left.towards === 'full' ? 'Full in about' : 'Empty in about';
  return (
    <div class="headline">
      <span class="headline-name">{label}</span>
      <span class="headline-value">{duration(left?.hours ?? null)}</span>
      <span class="headline-note">
        {known(battery?.remaining_ah) ? `${unit(battery.remaining_ah, 0, 'Ah')} of ${unit(battery.capacity_ah, 0, 'Ah')}` : DASH}
      </span>
    </div>
  );
}

// Notes keep their line when there is nothing to say, so that nothing moves when a value comes or goes.
const EMPTY_LINE = '\u00a0';

const atPack = (pack: number | null | undefined, cell?: number | null): string =>
  known(pack) ? `pack ${pack}${known(cell) ? `, cell ${cell}` : ''}` : EMPTY_LINE;

function spreadMv(b: Battery | null): number | null {
  return known(b?.cell_max_v) && known(b?.cell_min_v) ? (b.cell_max_v - b.cell_min_v) * 1000 : null;
}

function Facts({ battery: b, settings }: { battery: Battery | null; settings: Setting[] }) {
  const quorum = textOf(settings, 'quorum_pct');
  const blocking = [
    quorum === null ? '' : `quorum ${quorum}`,
    b?.packs_blocking_charge ? `${b.packs_blocking_charge} block charge` : '',
    b?.packs_blocking_discharge ? `${b.packs_blocking_discharge} block discharge` : '',
  ].filter(Boolean);
  return (
    <dl class="facts">
      <Fact name="Packs online" value={`${num(b?.packs_online)} of ${num(b?.packs_total)}`} note={blocking.join(', ') || EMPTY_LINE} />
      <Fact name="Highest cell" value={unit(b?.cell_max_v, 3, 'V')} note={atPack(b?.cell_max_pack, b?.cell_max_cell)} />
      <Fact name="Lowest cell" value={unit(b?.cell_min_v, 3, 'V')} note={atPack(b?.cell_min_pack, b?.cell_min_cell)} />
      <Fact name="Cell spread" value={unit(spreadMv(b), 0, 'mV')} note={known(b?.cell_mean_v) ? `mean ${unit(b.cell_mean_v, 3, 'V')}` : EMPTY_LINE} />
      <Fact name="Warmest" value={unit(b?.temperature_max_c, 1, '°C')} note={atPack(b?.temperature_max_pack)} />
      <Fact name="Coldest" value={unit(b?.temperature_min_c, 1, '°C')} note={atPack(b?.temperature_min_pack)} />
      <Fact name="MOSFETs" value={unit(b?.mos_temperature_max_c, 1, '°C')} note="warmest" />
      <Fact name="Health" value={unit(b?.soh_pct, 0, '%')} note={known(b?.cycles) ? `${num(b.cycles)} cycles` : EMPTY_LINE} />
      <Fact name="Energy in" value={unit(b?.energy_charged_kwh, 1, 'kWh')} note="since installation" />
      <Fact name="Energy out" value={unit(b?.energy_discharged_kwh, 1, 'kWh')} note="since installation" />
    </dl>
  );
}

const NAMED_AT_MOST = 4;

/** The packs that report an alarm themselves: ": pack 3, 7". */
function packsWith(packs: Pack[], name: string): string {
  const found = packs.filter((pack) => pack.protections.includes(name) || pack.warnings.includes(name));
  if (found.length === 0) return '';
  if (found.length > NAMED_AT_MOST) return `: ${found.length} packs`;
  return `: pack ${found.map((pack) => pack.pack).join(', ')}`;
}

interface Props {
  battery: Battery | null;
  current: Smoothed | null;
  settings?: Setting[];
  onPack: (pack: number) => void;
}

export function BatteryView({ battery: b, current, settings = [], onPack }: Props) {
  const state = STATES[b?.state ?? 'no_data'] ?? STATES.no_data;
  const watts = power(known(b?.power_w) ? Math.abs(b.power_w) : null);
  const quiet = b !== null && b.protections.length + b.warnings.length === 0;
  return (
    <section class="card battery" aria-labelledby="battery-title">
      <h2 id="battery-title" class="hidden">
        Battery
      </h2>
      <div class="headlines">
        <div class="soc" data-testid="soc">
          {num(floorTo(b?.soc_pct, 1), 1)}
          <span class="soc-unit">%</span>
        </div>
        <div class={`headline headline-power tone-${state.tone}`}>
          <span class="headline-name">
            <Chip tone={state.tone}>{b === null ? 'Waiting' : state.text}</Chip>
          </span>
          <span class="headline-value" data-testid="power">
            {watts.value}
            <span class="headline-unit">{watts.unit}</span>
          </span>
          <span class="headline-note">
            {known(b?.current_a) ? `${signed(b.current_a, 1)} A` : DASH} · {unit(b?.voltage_v, 2, 'V')}
          </span>
        </div>
        <Forecast battery={b} current={current} />
      </div>
      <Gauge battery={b} onPack={onPack} />
      <div class="battery-alarms">
        {quiet && <span class="all-well">No warnings</span>}
        {b !== null && <Alarms protections={b.protections} warnings={b.warnings} whereOf={(name) => packsWith(b.packs, name)} />}
        {b === null && <span class="all-well">Waiting for the gateway</span>}
      </div>
      <Facts battery={b} settings={settings} />
      <KeysHere settings={settings} place="battery" />
    </section>
  );
}
