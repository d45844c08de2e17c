// SPDX-License-Identifier: Apache-2.0
// Everything about one pack, in a dialog. The native <dialog> keeps the focus inside and closes on Escape.

import { useEffect, useRef } from 'preact/hooks';
import type { Flag, Num, Pack, Setting } from '../api';
import { cellStats, type CellStats } from '../lib/cells';
import { age, DASH, floorTo, known, num, signed, unit, words } from '../lib/format';
import { clamp } from '../lib/scale';
import { Alarms, Chip, Fact } from './bits';
import { KeysHere } from './settings';
import '../style/packdetail.css';

const yesNo = (flag: Flag, yes: string, no: string): string =>
  flag === null || flag === undefined ? DASH : flag ? yes : no;

// Room below and above the extremes, so that the lowest cell still has a bar.
const MARGIN_V = 0.01;

function Cell({ cell, voltage, stats }: { cell: number; voltage: Num; stats: CellStats }) {
  const span = stats.max - stats.min + 2 * MARGIN_V;
  const fill = known(voltage) ? clamp((voltage - stats.min + MARGIN_V) / span, 0, 1) : 0;
  const mark = cell === stats.minCell ? 'min' : cell === stats.maxCell ? 'max' : '';
  return (
    <li class={`cell ${mark && `cell-${mark}`}`}>
      <span class="cell-number">{cell}</span>
      <span class="cell-bar">
        <span class="cell-fill" style={{ width: `${fill * 100}%` }} />
      </span>
      <span class="cell-volt">{unit(voltage, 3, 'V')}</span>
      <span class="cell-dev">{known(voltage) ? `${signed((voltage - stats.mean) * 1000)} mV` : DASH}</span>
      <span class="cell-mark">{mark}</span>
    </li>
  );
}

function Cells({ pack }: { pack: Pack }) {
  const stats = cellStats(pack.cells_v);
  if (stats === null) return <p class="note">No cell voltages.</p>;
  return (
    <>
      <p class="hint">
        Mean {unit(stats.mean, 3, 'V')}, spread {unit(stats.spreadMv, 0, 'mV')}. Balancing{' '}
        {yesNo(pack.balancing, `on, ${unit(pack.balance_current_a, 2, 'A')}`, 'off')}.
      </p>
      <ol class="cells" data-testid="detail-cells">
        {pack.cells_v.map((voltage, index) => (
          <Cell key={index} cell={index + 1} voltage={voltage} stats={stats} />
        ))}
      </ol>
    </>
  );
}

function Measured({ pack: p }: { pack: Pack }) {
  return (
    <dl class="facts">
      <Fact name="State of charge" value={unit(floorTo(p.soc_pct, 1), 1, '%')} note={`${unit(p.remaining_ah, 0, 'Ah')} of ${unit(p.capacity_ah, 0, 'Ah')}`} />
      <Fact name="Voltage" value={unit(p.voltage_v, 2, 'V')} />
      <Fact name="Current" value={known(p.current_a) ? `${signed(p.current_a, 1)}\u00a0A` : DASH} note={`share ${unit(p.share_pct, 1, '%')}${known(p.share_confidence_pct) ? `, learned to ${num(p.share_confidence_pct)} %` : ''}`} />
      <Fact name="Health" value={unit(p.soh_pct, 0, '%')} note={`${num(p.cycles)} cycles`} />
    </dl>
  );
}

function Limits({ pack: p }: { pack: Pack }) {
  return (
    <dl class="facts">
      <Fact name="Charge limit" value={unit(p.charge_current_limit_a, 1, 'A')} note={`up to ${unit(p.charge_voltage_limit_v, 2, 'V')}`} />
      <Fact name="Discharge limit" value={unit(p.discharge_current_limit_a, 1, 'A')} note={`down to ${unit(p.discharge_voltage_limit_v, 2, 'V')}`} />
      <Fact name="Charge MOSFET" value={yesNo(p.charge_mos, 'On', 'Off')} />
      <Fact name="Discharge MOSFET" value={yesNo(p.discharge_mos, 'On', 'Off')} />
      <Fact name="Precharge" value={yesNo(p.precharge, 'On', 'Off')} />
      <Fact name="Heater" value={yesNo(p.heater, 'On', 'Off')} />
    </dl>
  );
}

function Temperatures({ pack: p }: { pack: Pack }) {
  return (
    <dl class="facts">
      {p.temperatures_c.map((value, index) => (
        <Fact key={index} name={`Sensor ${index + 1}`} value={unit(value, 1, '°C')} />
      ))}
      <Fact name="MOSFETs" value={unit(p.mos_temperature_c, 1, '°C')} />
    </dl>
  );
}

function Identity({ pack: p }: { pack: Pack }) {
  return (
    <dl class="facts facts-text">
      <Fact name="Serial number" value={p.serial || DASH} />
      <Fact name="Model" value={p.model || DASH} />
      <Fact name="Firmware" value={p.firmware_version || DASH} />
      <Fact name="Protocol" value={p.protocol || DASH} />
      <Fact name="Bus and address" value={`${p.bus ?? DASH} / ${num(p.address)}`} />
      <Fact name="Last answer" value={age(p.age_s)} note="ago" />
    </dl>
  );
}

interface Props {
  pack: Pack;
  settings?: Setting[];
  onClose: () => void;
}

export function PackDetail({ pack, settings = [], onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const leaveOnBackdrop = (event: MouseEvent): void => {
    if (event.target === dialog.current) dialog.current?.close();
  };
  return (
    <dialog ref={dialog} class="dialog detail" onClose={onClose} onClick={leaveOnBackdrop} aria-labelledby="detail-title" data-testid="detail">
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id="detail-title">Pack {pack.pack}</h2>
          <Chip tone={pack.state === 'active' ? 'good' : pack.state === 'lost' ? 'alarm' : 'neutral'}>{words(pack.state)}</Chip>
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </header>
        {pack.protections.length + pack.warnings.length > 0 && (
          <div class="battery-alarms">
            <Alarms protections={pack.protections} warnings={pack.warnings} />
          </div>
        )}
        <Measured pack={pack} />
        <h3>Cells</h3>
        <Cells pack={pack} />
        <h3>Limits and switches</h3>
        <Limits pack={pack} />
        <KeysHere settings={settings} place="pack" text="Settings that act on the limit of a pack" />
        <h3>Temperatures</h3>
        <Temperatures pack={pack} />
        <h3>Identity</h3>
        <Identity pack={pack} />
      </div>
    </dialog>
  );
}
