// SPDX-License-Identifier: Apache-2.0
// The chart's memory: columns as uPlot wants them, filled from the history answer and continued from live values.
// A gap (the gateway was off) gets a row of nulls, so that no line is drawn across time nobody watched.

import type { Battery, HistoryAnswer, Num } from '../api';

export interface Range {
  label: string;
  spanS: number;
  stepS: number;
}

// Steps keep every range below about 720 points: more than the pixels of a phone, quick to draw.
export const RANGES: Range[] = [
  { label: '1 h', spanS: 3600, stepS: 10 },
  { label: '6 h', spanS: 21600, stepS: 30 },
  { label: '24 h', spanS: 86400, stepS: 120 },
  { label: '7 d', spanS: 604800, stepS: 900 },
];

/** The time axis: the chosen range, but no wider than there is history (ten minutes at least), so that the chart of a
 * gateway installed this morning is not mostly empty. */
export function timeAxis(times: readonly number[], endS: number, spanS: number): [number, number] {
  const first = Math.min(times[0] ?? endS, endS - 600);
  return [Math.max(endS - spanS, first), endS];
}

export const FIELDS = [
  'power_w',
  'current_a',
  'voltage_v',
  'charge_current_limit_a',
  'discharge_current_limit_a',
  'soc_pct',
  'cell_min_v',
  'cell_max_v',
] as const;

export type Field = (typeof FIELDS)[number];
export type Columns = { t: number[] } & Record<Field, Num[]>;

const GAP_STEPS = 2.5;

const empty = (): Columns => ({
  t: [],
  power_w: [],
  current_a: [],
  voltage_v: [],
  charge_current_limit_a: [],
  discharge_current_limit_a: [],
  soc_pct: [],
  cell_min_v: [],
  cell_max_v: [],
});

function push(columns: Columns, t: number, valueOf: (field: Field) => Num | undefined): void {
  columns.t.push(t);
  for (const field of FIELDS) columns[field].push(valueOf(field) ?? null);
}

function pushAfterGap(columns: Columns, t: number, stepS: number): void {
  const last = columns.t[columns.t.length - 1];
  if (last !== undefined && t - last > stepS * GAP_STEPS) push(columns, last + stepS, () => null);
}

/** The answer as columns. Fields are found by name; what the gateway does not know stays null. */
export function fromAnswer(answer: HistoryAnswer): Columns {
  const columns = empty();
  for (const row of answer.rows) {
    const t = row[0];
    if (typeof t !== 'number') continue;
    pushAfterGap(columns, t, answer.step);
    push(columns, t, (field) => {
      const at = answer.fields.indexOf(field);
      return at < 0 ? null : row[at + 1];
    });
  }
  return columns;
}

/** Adds the live battery: a new point for each step of time, within which the point follows the value. Old points fall off the left. */
export function append(before: Columns, battery: Battery, t: number, range: Range): Columns {
  const columns = { ...before };
  for (const key of ['t', ...FIELDS] as const) columns[key] = before[key].slice() as number[];
  const last = columns.t[columns.t.length - 1];
  if (last !== undefined && t < last) return before;
  if (last !== undefined && Math.floor(last / range.stepS) === Math.floor(t / range.stepS)) {
    for (const key of ['t', ...FIELDS] as const) columns[key].pop();
  }
  pushAfterGap(columns, t, range.stepS);
  push(columns, t, (field) => battery[field]);
  const keep = columns.t.findIndex((time) => time >= t - range.spanS);
  if (keep > 0) for (const key of ['t', ...FIELDS] as const) columns[key].splice(0, keep);
  return columns;
}

/** The time that a point stands for when somebody asks about it: the end of its step, since the gateway may have started
 * within the step, but not later than now. */
export function askedTime(times: readonly number[], index: number, stepS: number, nowS = Date.now() / 1000): number | undefined {
  const t = times[index];
  return t === undefined ? undefined : Math.max(t, Math.min(t + stepS - 1, nowS));
}

/** A limit in watts at the voltage of the moment, so that it can be drawn with the power. */
export function limitWatts(limitA: Num[], voltageV: Num[]): Num[] {
  return limitA.map((amps, index) => {
    const volts = voltageV[index] ?? null;
    return amps === null || volts === null ? null : amps * volts;
  });
}
