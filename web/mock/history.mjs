// SPDX-License-Identifier: Apache-2.0
// The mock's history: a week simulated in coarse steps before the server starts, then one sample a second.
// A few minutes on the fourth day are missing, as they would be after a power cut.

import { batteryOf } from './battery.mjs';

const WEEK_S = 7 * 86400;
// Steps of the simulation and of what is kept, by how long ago: fine where the page looks closely.
const STEPS = [
  { withinS: 4000, stepS: 10, keepS: 10 },
  { withinS: 90000, stepS: 60, keepS: 60 },
  { withinS: Infinity, stepS: 60, keepS: 300 },
];
const GAP = { fromS: 3.2 * 86400, toS: 3.2 * 86400 + 5400 };

export class History {
  constructor() {
    this.samples = [];
  }

  add(rack, seconds) {
    const { packs, reasons, ...scalars } = batteryOf(rack, seconds);
    this.samples.push(scalars);
    if (this.samples.length > 40000) this.samples.splice(0, 1000);
  }

  /** Lives through the week before `seconds`. */
  prepare(rack, seconds) {
    let t = seconds - WEEK_S;
    while (t < seconds) {
      const past = seconds - t;
      const { stepS, keepS } = STEPS.find((step) => past <= step.withinS);
      rack.step(t, stepS);
      const watched = past < GAP.fromS || past > GAP.toS;
      if (watched && Math.floor(t / keepS) !== Math.floor((t - stepS) / keepS)) this.add(rack, t);
      t += stepS;
    }
  }

  /** The sample nearest to a time, null when none is within a quarter of an hour. */
  at(seconds) {
    const away = (sample) => Math.abs(Date.parse(sample.time) / 1000 - seconds);
    const nearest = this.samples.reduce((best, one) => (best === null || away(one) < away(best) ? one : best), null);
    return nearest !== null && away(nearest) < 900 ? nearest : null;
  }

  /** Means over `step` seconds, as the gateway answers; a step without samples has no row. */
  query({ from, to, step, fields }) {
    const sums = new Map();
    for (const sample of this.samples) {
      const t = Date.parse(sample.time) / 1000;
      if (t < from || t > to) continue;
      const start = Math.floor(t / step) * step;
      if (!sums.has(start)) sums.set(start, fields.map(() => ({ sum: 0, n: 0 })));
      sums.get(start).forEach((cell, i) => {
        const value = sample[fields[i]];
        if (typeof value !== 'number') return;
        cell.sum += value;
        cell.n += 1;
      });
    }
    const rows = [...sums].map(([t, cells]) => [t, ...cells.map((c) => (c.n ? +(c.sum / c.n).toFixed(4) : null))]);
    return { from, to, step, fields, rows: rows.sort((a, b) => a[0] - b[0]) };
  }
}
