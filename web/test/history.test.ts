// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { HistoryAnswer } from '../src/api';
import { append, askedTime, fromAnswer, limitWatts, RANGES, timeAxis, type Range } from '../src/lib/history';
import { flowEnd, padded } from '../src/lib/plots';
import { rack } from './battery';

const hour = RANGES[0] as Range;

function answer(rows: HistoryAnswer['rows'], fields = ['soc_pct', 'power_w']): HistoryAnswer {
  return { from: 0, to: 3600, step: 10, fields, rows };
}

describe('the answer as columns', () => {
  it('finds fields by name and leaves the rest unknown', () => {
    const columns = fromAnswer(answer([[10, 50, 1000], [20, null, 2000]]));
    expect(columns.t).toEqual([10, 20]);
    expect(columns.soc_pct).toEqual([50, null]);
    expect(columns.power_w).toEqual([1000, 2000]);
    expect(columns.cell_max_v).toEqual([null, null]);
  });

  it('breaks the line where rows are missing', () => {
    const columns = fromAnswer(answer([[10, 50, 1], [20, 50, 1], [100, 51, 1]]));
    expect(columns.t).toEqual([10, 20, 30, 100]);
    expect(columns.soc_pct).toEqual([50, 50, null, 51]);
  });

  it('keeps one missing row joined', () => {
    expect(fromAnswer(answer([[10, 50, 1], [30, 50, 1]])).t).toEqual([10, 30]);
  });
});

describe('live values', () => {
  const start = fromAnswer(answer([[1000, 50, 1], [1010, 50, 1]]));

  it('moves the newest point until a step is full', () => {
    let columns = start;
    for (const t of [1011, 1019, 1020, 1021, 1029]) columns = append(columns, rack(), t, hour);
    expect(columns.t).toEqual([1000, 1019, 1029]);
    expect(columns.soc_pct.at(-1)).toBe(73.46);
    expect(start.t).toEqual([1000, 1010]);
  });

  it('drops what leaves the range', () => {
    expect(append(start, rack(), 1005 + hour.spanS, hour).t[0]).toBe(1010);
  });

  it('ignores a time before the last point', () => {
    expect(append(start, rack(), 900, hour)).toBe(start);
  });

  it('breaks the line after a silence', () => {
    expect(append(start, rack(), 1100, hour).t).toEqual([1000, 1010, 1020, 1100]);
  });

  it('starts from nothing', () => {
    expect(append(fromAnswer(answer([])), rack(), 5, hour).t).toEqual([5]);
  });
});

describe('plots', () => {
  it('turns limits into watts', () => {
    expect(limitWatts([100, null, 50], [53, 53, null])).toEqual([5300, null, null]);
  });

  it('brings a limit into sight only when it is near', () => {
    expect(flowEnd([100, null], [1000], 10)).toBeCloseTo(120);
    expect(flowEnd([100], [150, 900], 10)).toBeCloseTo(172.5);
    expect(flowEnd([100], [20], 10)).toBeCloseTo(120);
    expect(flowEnd([], [], 10)).toBeCloseTo(12);
    expect(flowEnd([-40], [null], 10)).toBeCloseTo(12);
  });

  it('gives a flat line some room', () => {
    const [low, high] = padded(3.3, 3.3, 0.02);
    expect(low).toBeCloseTo(3.2888);
    expect(high).toBeCloseTo(3.3112);
  });
});

describe('the time axis', () => {
  it('is the chosen range once there is that much history', () => {
    expect(timeAxis([100, 50000], 50000, 3600)).toEqual([46400, 50000]);
  });
  it('is no wider than the history, but ten minutes at least', () => {
    expect(timeAxis([49000, 50000], 50000, 21600)).toEqual([49000, 50000]);
    expect(timeAxis([49990, 50000], 50000, 21600)).toEqual([49400, 50000]);
    expect(timeAxis([], 50000, 21600)).toEqual([49400, 50000]);
  });
});

describe('the time that is asked about', () => {
  it('is the end of a step, but never later than now', () => {
    expect(askedTime([100, 130], 0, 30, 145)).toBe(129);
    expect(askedTime([100, 130], 1, 30, 145)).toBe(145);
    expect(askedTime([100, 150], 1, 30, 145)).toBe(150);
    expect(askedTime([], 0, 30)).toBeUndefined();
  });
});
