// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { cellStats, heatMap, temperatureRange } from '../src/lib/cells';
import { pack, rack } from './battery';

describe('cells of a pack', () => {
  it('finds extremes among the known', () => {
    const stats = cellStats([3.3, null, 3.36, 3.33]);
    expect(stats).toMatchObject({ min: 3.3, max: 3.36, minCell: 1, maxCell: 3 });
    expect(stats?.spreadMv).toBeCloseTo(60);
    expect(stats?.mean).toBeCloseTo(3.33);
  });

  it('has none without voltages', () => {
    expect(cellStats([])).toBeNull();
    expect(cellStats([null, null])).toBeNull();
  });
});

describe('heat map', () => {
  const map = heatMap(rack());

  it('is a full grid although a pack is lost', () => {
    expect(map.rows).toHaveLength(3);
    expect(map.rows.every(({ cells }) => cells.length === 4)).toBe(true);
    expect(map.rows[2]?.cells[0]).toMatchObject({ voltage: null, deviationMv: null, mark: null });
  });

  it('measures from the mean the gateway gives', () => {
    expect(map.rows[1]?.cells[3]?.deviationMv).toBeCloseTo(40);
    expect(map.rows[1]?.cells[2]?.deviationMv).toBeNull();
  });

  it("marks the gateway's own extremes", () => {
    expect(map.rows[1]?.cells.map((cell) => cell.mark)).toEqual(['min', null, null, 'max']);
  });

  it('works out a mean when the gateway gives none', () => {
    expect(heatMap(rack({ cell_mean_v: null })).mean).toBeCloseTo(3.3157, 3);
    expect(heatMap(rack({ cell_mean_v: null, packs: [pack(1)] })).mean).toBeNull();
  });
});

describe('temperatures', () => {
  it('ignores unknown sensors', () => {
    expect(temperatureRange(pack(1, { temperatures_c: [null, 21, -3] }))).toEqual({ min: -3, max: 21 });
    expect(temperatureRange(pack(1))).toEqual({ min: null, max: null });
  });
});
