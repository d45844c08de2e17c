// SPDX-License-Identifier: Apache-2.0
// Small rack for the tests: two live packs and a lost one.

import type { Battery, Pack } from '../src/api';
import { toBattery } from '../src/api';

export function pack(number: number, more: Partial<Pack> = {}): Pack {
  return { pack: number, state: 'active', cells_v: [], temperatures_c: [], protections: [], warnings: [], ...more } as Pack;
}

export function rack(more: Partial<Battery> = {}): Battery {
  return toBattery({
    time: '2026-01-01T12:00:00.000Z',
    state: 'charging',
    soc_pct: 73.46,
    current_a: 100,
    power_w: 5320,
    packs: [
      pack(1, { cells_v: [3.3, 3.31, 3.32, 3.33] }),
      pack(2, { cells_v: [3.29, 3.31, null, 3.35] }),
      pack(3, { state: 'lost' }),
    ],
    cells_in_series: 4,
    cell_mean_v: 3.31,
    cell_min_pack: 2,
    cell_min_cell: 1,
    cell_max_pack: 2,
    cell_max_cell: 4,
    ...more,
  } as Battery);
}
