// SPDX-License-Identifier: Apache-2.0
// Every cell of the rack on one grid, coloured by its distance from the mean cell. The two extremes carry a word, not
// only a colour; the chosen cell is spelled out in the line above, which works by mouse, by touch and by arrow keys.

import { useRef, useState } from 'preact/hooks';
import type { Battery } from '../api';
import { heatMap, type HeatCell, type HeatMap } from '../lib/cells';
import { DASH, known, signed, unit } from '../lib/format';
import { HEAT_STEPS, heatSpanMv, heatStep } from '../lib/scale';
import { Section } from './bits';
import '../style/heatmap.css';

interface Place {
  row: number;
  column: number;
}

const MOVES: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

function describe(cell: HeatCell): string {
  const place = `Pack ${cell.pack}, cell ${cell.cell}`;
  if (!known(cell.voltage)) return `${place}: unknown`;
  return `${place}: ${unit(cell.voltage, 3, 'V')}, ${signed(cell.deviationMv)} mV from the mean`;
}

function Legend({ spanMv }: { spanMv: number }) {
  const steps = Array.from({ length: 2 * HEAT_STEPS + 1 }, (_, index) => index - HEAT_STEPS);
  return (
    <div class="heat-legend" aria-hidden="true">
      <span>−{spanMv} mV</span>
      {steps.map((step) => (
        <i key={step} data-heat={step} />
      ))}
      <span>+{spanMv} mV</span>
    </div>
  );
}

interface CellProps {
  cell: HeatCell;
  at: Place;
  spanMv: number;
  focused: boolean;
  onPlace: (place: Place) => void;
}

function Cell({ cell, at, spanMv, focused, onPlace }: CellProps) {
  const extreme = cell.mark === null ? '' : cell.mark === 'min' ? ', lowest of all' : ', highest of all';
  const choose = (): void => onPlace(at);
  return (
    <span
      class="heat-cell"
      role="gridcell"
      data-at={`${at.row}-${at.column}`}
      data-heat={heatStep(cell.deviationMv, spanMv) ?? 'none'}
      data-mark={cell.mark}
      tabIndex={focused ? 0 : -1}
      aria-label={describe(cell) + extreme}
      onMouseEnter={choose}
      onClick={choose}
      onFocus={choose}
    >
      <span class="heat-value">{known(cell.deviationMv) ? signed(cell.deviationMv) : DASH}</span>
      {cell.mark && <b>{cell.mark}</b>}
    </span>
  );
}

interface GridProps {
  map: HeatMap;
  spanMv: number;
  place: Place | null;
  onPlace: (place: Place | null) => void;
  onPack: (pack: number) => void;
}

function Grid({ map, spanMv, place, onPlace, onPack }: GridProps) {
  const grid = useRef<HTMLDivElement>(null);
  const focus = place ?? { row: 0, column: 0 };

  function move(event: KeyboardEvent): void {
    const step = MOVES[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const row = Math.min(map.rows.length - 1, Math.max(0, focus.row + step[0]));
    const column = Math.min(map.columns - 1, Math.max(0, focus.column + step[1]));
    onPlace({ row, column });
    grid.current?.querySelector<HTMLElement>(`[data-at="${row}-${column}"]`)?.focus();
  }

  return (
    <div ref={grid} class="heat" role="grid" aria-label="Cell voltages, packs down, cells across" onKeyDown={move} onMouseLeave={() => onPlace(null)} style={{ '--columns': String(map.columns) }} data-testid="heat">
      <div class="heat-row heat-numbers" aria-hidden="true">
        <span class="heat-pack" />
        {Array.from({ length: map.columns }, (_, index) => (
          <span key={index}>{index + 1}</span>
        ))}
      </div>
      {map.rows.map(({ pack, cells }, row) => (
        <div key={pack.pack} class="heat-row" role="row">
          <span class="heat-pack" role="rowheader">
            <button type="button" class="link" tabIndex={-1} onClick={() => onPack(pack.pack)} aria-label={`Pack ${pack.pack}`}>
              {pack.pack}
            </button>
          </span>
          {cells.map((cell, column) => (
            <Cell key={column} cell={cell} at={{ row, column }} spanMv={spanMv} focused={focus.row === row && focus.column === column} onPlace={onPlace} />
          ))}
        </div>
      ))}
    </div>
  );
}

export function HeatMapView({ battery, onPack }: { battery: Battery | null; onPack: (pack: number) => void }) {
  const [place, setPlace] = useState<Place | null>(null);
  if (battery === null || battery.packs.length === 0) {
    return (
      <Section id="cells" title="Cells">
        <p class="note">No cell voltages yet.</p>
      </Section>
    );
  }
  const map = heatMap(battery);
  const spanMv = heatSpanMv(map.rows.flatMap(({ cells }) => cells.map((cell) => cell.deviationMv)));
  const chosen = place === null ? undefined : map.rows[place.row]?.cells[place.column];
  return (
    <Section id="cells" title="Cells" aside={<Legend spanMv={spanMv} />}>
      <p class="heat-read" data-testid="heat-read">
        {chosen ? describe(chosen) : `Deviation from the mean cell of ${unit(map.mean, 3, 'V')}, in mV`}
      </p>
      <Grid map={map} spanMv={spanMv} place={place} onPlace={setPlace} onPack={onPack} />
    </Section>
  );
}
