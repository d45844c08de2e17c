// SPDX-License-Identifier: Apache-2.0
// Cells of one pack and of the whole rack: extremes, spread, deviation from the mean. Cells number from 1.

import type { Battery, Num, Pack } from '../api';
import { known } from './format';

export interface CellStats {
  min: number;
  max: number;
  mean: number;
  spreadMv: number;
  minCell: number;
  maxCell: number;
}

/** Extremes of a pack's known cells, or null when none is known. */
export function cellStats(cells: Num[]): CellStats | null {
  const voltages = cells.filter(known);
  if (voltages.length === 0) return null;
  const min = Math.min(...voltages);
  const max = Math.max(...voltages);
  return {
    min,
    max,
    mean: voltages.reduce((sum, v) => sum + v, 0) / voltages.length,
    spreadMv: (max - min) * 1000,
    minCell: cells.indexOf(min) + 1,
    maxCell: cells.indexOf(max) + 1,
  };
}

export interface HeatCell {
  pack: number;
  cell: number;
  voltage: Num;
  deviationMv: Num;
  mark: 'min' | 'max' | null;
}

export interface HeatMap {
  rows: { pack: Pack; cells: HeatCell[] }[];
  columns: number;
  mean: Num;
}

function markOf(battery: Battery, pack: number, cell: number): HeatCell['mark'] {
  if (battery.cell_min_pack === pack && battery.cell_min_cell === cell) return 'min';
  if (battery.cell_max_pack === pack && battery.cell_max_cell === cell) return 'max';
  return null;
}

/** The rack as a grid. The marks are the gateway's own extremes, so that every page section names the same cell. */
export function heatMap(battery: Battery): HeatMap {
  const longest = Math.max(0, ...battery.packs.map((pack) => pack.cells_v.length));
  const columns = Math.max(longest, battery.cells_in_series ?? 0);
  const all = battery.packs.flatMap((pack) => pack.cells_v);
  const mean = known(battery.cell_mean_v) ? battery.cell_mean_v : (cellStats(all)?.mean ?? null);
  const rows = battery.packs.map((pack) => ({
    pack,
    cells: Array.from({ length: columns }, (_, index) => {
      const voltage = pack.cells_v[index] ?? null;
      return {
        pack: pack.pack,
        cell: index + 1,
        voltage,
        deviationMv: known(voltage) && known(mean) ? (voltage - mean) * 1000 : null,
        mark: markOf(battery, pack.pack, index + 1),
      };
    }),
  }));
  return { rows, columns, mean };
}

/** Lowest and highest temperature of a pack's sensors. */
export function temperatureRange(pack: Pack): { min: Num; max: Num } {
  const values = pack.temperatures_c.filter(known);
  return values.length === 0 ? { min: null, max: null } : { min: Math.min(...values), max: Math.max(...values) };
}
