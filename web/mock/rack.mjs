// SPDX-License-Identifier: Apache-2.0
// A small rack for developing the page without a gateway: sixteen LFP packs in parallel that share a current by their
// resistance, a sunny day, one weak cell, one warm pack, packs that can be unplugged. Deterministic for a given seed.
// It imitates the gateway's answers well enough to draw them; its limits are NOT the gateway's fusion rules.

const PACKS = 16;
const CELLS = 16;
const CAPACITY_AH = 280;
const PACK_LIMIT_A = 140;
const WARM_PACK = 7;
const WEAK_PACK = 5;
const WEAK_CELL = 12;
const HELD_S = 3;
const LOST_S = 30;

// Open-circuit voltage of an LFP cell over its state of charge, rounded from published rest curves.
const OCV = [
  [0, 2.9], [0.05, 3.15], [0.1, 3.21], [0.2, 3.26], [0.3, 3.285], [0.4, 3.295], [0.5, 3.3], [0.6, 3.308],
  [0.7, 3.325], [0.8, 3.332], [0.9, 3.34], [0.96, 3.36], [0.985, 3.42], [1, 3.55],
];

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const round = (v, digits) => Math.round(v * 10 ** digits) / 10 ** digits;

function interpolate(table, x) {
  for (let i = 1; i < table.length; i++) {
    const [x0, y0] = table[i - 1];
    const [x1, y1] = table[i];
    if (x <= x1) return y0 + ((y1 - y0) * (clamp(x, x0, x1) - x0)) / (x1 - x0);
  }
  return table[table.length - 1][1];
}

/** A repeatable source of numbers in 0..1 (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

function makePack(index, rnd) {
  const number = index + 1;
  return {
    number,
    soc: 0.62 + (rnd() - 0.5) * 0.05,
    resistance: 0.011 + rnd() * 0.004,
    temperature: 21 + rnd() * 2 + (number === WARM_PACK ? 7 : 0),
    cells: Array.from({ length: CELLS }, (_, c) => ({
      offset: (rnd() - 0.5) * 0.006 + (number === WEAK_PACK && c + 1 === WEAK_CELL ? 0.02 : 0),
      resistance: 1 + (rnd() - 0.5) * 0.1 + (number === WEAK_PACK && c + 1 === WEAK_CELL ? 0.5 : 0),
    })),
    serial: `OP24${String(4100 + number * 37)}`,
    cycles: 180 + Math.floor(rnd() * 60),
    soh: 97 + rnd() * 2.4,
    plugged: true,
    silence: 0,
    current: 0,
  };
}

/** Sun minus load in W for a time: a clear day with a few clouds, a house with an evening. */
function household(seconds) {
  const hour = (seconds / 3600) % 24;
  const sun = Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI)) * 34000;
  const clouds = 0.8 + 0.12 * Math.sin(seconds / 410) + 0.08 * Math.sin(seconds / 97 + 1);
  const evening = Math.exp(-(((hour - 20) / 2.4) ** 2)) * 11000;
  const appliance = Math.sin(seconds / 1300) > 0.75 ? 2600 : 0;
  return sun * clouds - 5200 - evening - appliance + 130 * Math.sin(seconds / 7);
}

export class Rack {
  constructor(seed = 7) {
    const rnd = random(seed);
    this.packs = Array.from({ length: PACKS }, (_, i) => makePack(i, rnd));
    this.order = { kind: 'auto', watts: 0 };
    this.charged = 4217.6;
    this.discharged = 3980.2;
    this.limits = null;
    this.events = [];
  }

  note(seconds, kind, severity, pack, text) {
    const id = (this.events[0]?.id ?? 0) + 1;
    const event = { id, time: new Date(seconds * 1000).toISOString(), kind, severity, pack, text };
    this.events.unshift(event);
    return event;
  }

  connected() {
    return this.packs.filter((pack) => pack.plugged);
  }

  /** Moves everything by `dt` seconds up to the time `seconds`. */
  step(seconds, dt) {
    const live = this.connected();
    const emf = live.map((pack) => interpolate(OCV, pack.soc) * CELLS);
    const conductance = live.reduce((sum, pack) => sum + 1 / pack.resistance, 0);
    const open = live.reduce((sum, pack, i) => sum + emf[i] / pack.resistance, 0) / (conductance || 1);
    const wanted = this.order.kind === 'auto' ? household(seconds) : this.order.watts;
    const limits = this.limits ?? { charge: 400, discharge: 400 };
    const total = live.length === 0 ? 0 : clamp(wanted / open, -limits.discharge, limits.charge);
    this.voltage = live.length === 0 ? null : open + total / conductance;
    this.total = total;
    live.forEach((pack, i) => this.carry(pack, (this.voltage - emf[i]) / pack.resistance, dt));
    const kwh = (Math.abs(total * (this.voltage ?? 0)) * dt) / 3.6e6;
    if (total > 0) this.charged += kwh;
    else this.discharged += kwh;
    for (const pack of this.packs) this.watch(pack, seconds, dt);
    this.limit(dt);
  }

  carry(pack, amps, dt) {
    pack.current = amps;
    pack.soc = clamp(pack.soc + (amps * dt) / 3600 / CAPACITY_AH, 0.01, 1);
    const ambient = 20 + (pack.number === WARM_PACK ? 9 : 0);
    const heat = amps * amps * pack.resistance * 0.0005;
    pack.temperature += (heat - (pack.temperature - ambient) / 2400) * Math.min(dt, 60);
  }

  watch(pack, seconds, dt) {
    const before = pack.silence;
    pack.silence = pack.plugged ? 0 : pack.silence + dt;
    const crossed = (limit) => before < limit && pack.silence >= limit;
    if (crossed(HELD_S)) this.note(seconds, 'pack_held', 'info', pack.number, `Pack ${pack.number} is silent, last values held.`);
    if (crossed(LOST_S)) this.note(seconds, 'pack_lost', 'warning', pack.number, `Pack ${pack.number} lost after ${LOST_S} s of silence.`);
    if (before >= HELD_S && pack.plugged) this.note(seconds, 'pack_joined', 'info', pack.number, `Pack ${pack.number} is back and carries current.`);
  }

  limit(dt) {
    const online = this.packs.filter((pack) => pack.silence < LOST_S);
    const target = { charge: this.chargeLimit(online), discharge: this.dischargeLimit(online) };
    const before = this.limits ?? { charge: target.charge.value, discharge: target.discharge.value };
    const rise = online.length * PACK_LIMIT_A * 0.02 * dt;
    this.limits = {
      charge: Math.min(target.charge.value, before.charge + rise),
      discharge: Math.min(target.discharge.value, before.discharge + rise),
      why: target,
    };
  }

  chargeLimit(online) {
    let best = { value: Infinity, rule: 'quorum', pack: null, cell: null, text: 'No pack is online.' };
    for (const pack of online) {
      const cells = this.cellVoltages(pack);
      const top = Math.max(...cells);
      const cell = cells.indexOf(top) + 1;
      const taper = interpolate([[3.35, 1], [3.4, 0.6], [3.45, 0.22], [3.5, 0.05], [3.55, 0]], top);
      const heat = interpolate([[0, 0], [10, 0.5], [20, 1], [30, 1], [45, 0.4], [55, 0]], pack.temperature);
      const share = taper <= heat
        ? { rule: 'cell_taper', cell, text: `Pack ${pack.number} cell ${cell} is at ${top.toFixed(3)} V, near full: its charge is tapered and the rack shares accordingly.` }
        : { rule: 'temperature_taper', cell: null, text: `Pack ${pack.number} is at ${pack.temperature.toFixed(1)} °C: its charge current is reduced and the rack shares accordingly.` };
      const value = 0.95 * PACK_LIMIT_A * Math.min(taper, heat) * online.length;
      if (value < best.value) best = { value, pack: pack.number, ...share };
    }
    return online.length === 0 ? { ...best, value: 0 } : best;
  }

  dischargeLimit(online) {
    if (online.length === 0) return { value: 0, rule: 'quorum', pack: null, cell: null, text: 'No pack is online.' };
    const weakest = online.reduce((a, b) => (a.resistance < b.resistance ? a : b));
    const conductance = online.reduce((sum, pack) => sum + 1 / pack.resistance, 0);
    const share = 1 / weakest.resistance / conductance;
    return {
      value: (0.95 * PACK_LIMIT_A) / share,
      rule: 'share',
      pack: weakest.number,
      cell: null,
      text: `Pack ${weakest.number} carries the largest share (${(share * 100).toFixed(1)} %) and may give ${(0.95 * PACK_LIMIT_A).toFixed(0)} A.`,
    };
  }

  cellVoltages(pack) {
    const mean = interpolate(OCV, pack.soc);
    const steep = 1 + Math.max(0, pack.soc - 0.9) * 14;
    return pack.cells.map((cell) =>
      round(mean + cell.offset * steep + (pack.current * pack.resistance * cell.resistance) / CELLS, 3),
    );
  }

  setPlugged(number, plugged) {
    const pack = this.packs[number - 1];
    if (pack === undefined) return false;
    pack.plugged = plugged;
    if (!plugged) pack.current = 0;
    return true;
  }

  stateOf(pack) {
    if (pack.silence >= LOST_S) return 'lost';
    return pack.silence >= HELD_S ? 'held' : 'active';
  }
}

export { CAPACITY_AH, CELLS, PACK_LIMIT_A, WARM_PACK, clamp, round };
