// SPDX-License-Identifier: Apache-2.0
// The mock rack as the JSON of the public contract: battery object, inverters, history samples.

import { CAPACITY_AH, CELLS, PACK_LIMIT_A, WARM_PACK, round } from './rack.mjs';

function identity(pack) {
  return {
    pack: pack.number,
    bus: pack.number <= 8 ? 'rack-a' : 'rack-b',
    address: ((pack.number - 1) % 8) + 1,
    serial: pack.serial,
    model: 'JK-PB2A16S20P',
    firmware_version: '15.24',
    protocol: 'pack/jk-pb',
  };
}

const UNKNOWN = Object.fromEntries(
  [
    'share_pct', 'voltage_v', 'current_a', 'soc_pct', 'soh_pct', 'capacity_ah', 'remaining_ah', 'cycles',
    'charge_voltage_limit_v', 'discharge_voltage_limit_v', 'charge_current_limit_a', 'discharge_current_limit_a',
    'charge_mos', 'discharge_mos', 'precharge', 'heater', 'balancing', 'balance_current_a', 'mos_temperature_c',
  ].map((key) => [key, null]),
);

function lostPack(pack) {
  return {
    ...identity(pack), ...UNKNOWN, state: 'lost', age_s: round(pack.silence, 1),
    cells_v: [], temperatures_c: [], protections: [], warnings: ['pack_lost'],
  };
}

function livePack(rack, pack, conductance) {
  const cells = rack.cellVoltages(pack);
  const spread = Math.max(...cells) - Math.min(...cells);
  const t = pack.temperature;
  return {
    ...identity(pack),
    state: rack.stateOf(pack),
    age_s: round(pack.silence + ((pack.number * 0.11) % 0.9), 2),
    share_pct: round(100 / pack.resistance / conductance, 1),
    voltage_v: round(cells.reduce((a, b) => a + b, 0), 2),
    current_a: round(pack.current, 1),
    soc_pct: round(pack.soc * 100, 1),
    soh_pct: round(pack.soh, 0),
    capacity_ah: CAPACITY_AH,
    remaining_ah: round(CAPACITY_AH * pack.soc, 1),
    cycles: pack.cycles,
    charge_voltage_limit_v: 55.2,
    discharge_voltage_limit_v: 44.8,
    charge_current_limit_a: round(PACK_LIMIT_A * (pack.number === WARM_PACK ? 0.7 : 1), 0),
    discharge_current_limit_a: PACK_LIMIT_A,
    charge_mos: true,
    discharge_mos: true,
    precharge: false,
    heater: null,
    balancing: spread > 0.012 && pack.current > 0,
    balance_current_a: spread > 0.012 && pack.current > 0 ? 0.8 : 0,
    cells_v: cells,
    temperatures_c: [round(t, 1), round(t - 0.6, 1), round(t + (pack.number === WARM_PACK ? 4.8 : 0.4), 1), round(t - 0.2, 1)],
    mos_temperature_c: round(t + 3 + Math.abs(pack.current) * 0.05, 1),
    protections: [],
    warnings: pack.temperature > 34 ? ['charge_overtemperature'] : [],
  };
}

function extreme(packs, pick, better) {
  let best = null;
  for (const pack of packs) {
    pack.cells_v.forEach((v, i) => {
      if (best === null || better(v, best.value)) best = { value: v, pack: pack.pack, cell: i + 1 };
    });
  }
  return best === null ? { value: null, pack: null, cell: null } : best;
}

function extremeTemperature(packs, better) {
  let best = { value: null, pack: null };
  for (const pack of packs)
    for (const t of pack.temperatures_c) if (best.value === null || better(t, best.value)) best = { value: t, pack: pack.pack };
  return best;
}

function stateOf(rack, online) {
  if (online.length === 0) return 'no_data';
  if (Math.abs(rack.total) < 3) return 'standby';
  return rack.total > 0 ? 'charging' : 'discharging';
}

function reason(limit, why, value) {
  return { limit, value: round(value, 1), rule: why.rule, pack: why.pack, cell: why.cell, text: why.text };
}

export function reasonsOf(rack) {
  const { charge, discharge, why } = rack.limits;
  const next = { value: round(charge * 1.2, 1), rule: 'temperature', pack: 2, cell: null, text: `Otherwise charging would be limited to ${round(charge * 1.2, 1)} A because pack 2 has 9.0 degC.` };
  const list = [{ ...reason('charge_current', why.charge, charge), runner_up: next }, { ...reason('discharge_current', why.discharge, discharge), runner_up: null }];
  list.push({ limit: 'charge_voltage', value: 55.2, rule: 'charge_target', pack: null, cell: null, text: 'Bulk charge at 3.45 V per cell.' });
  list.push({ limit: 'discharge_voltage', value: 44.8, rule: 'pack_limit', pack: 1, cell: null, text: 'Pack 1 stops discharging at 44.8 V.' });
  return list;
}

const sum = (packs, key) => (packs.length === 0 ? null : packs.reduce((a, p) => a + (p[key] ?? 0), 0));
const mean = (packs, key) => (packs.length === 0 ? null : sum(packs, key) / packs.length);
const maybe = (value, digits) => (value === null ? null : round(value, digits));

/** The battery object of the contract at a time. */
export function batteryOf(rack, seconds) {
  const conductance = rack.packs.reduce((a, p) => a + 1 / p.resistance, 0);
  const packs = rack.packs.map((p) => (rack.stateOf(p) === 'lost' ? lostPack(p) : livePack(rack, p, conductance)));
  const online = packs.filter((p) => p.state !== 'lost');
  const low = extreme(online, (c) => c, (a, b) => a < b);
  const high = extreme(online, (c) => c, (a, b) => a > b);
  const cold = extremeTemperature(online, (a, b) => a < b);
  const hot = extremeTemperature(online, (a, b) => a > b);
  const capacity = sum(online, 'capacity_ah');
  const remaining = sum(online, 'remaining_ah');
  const cells = online.flatMap((p) => p.cells_v);
  const soc = capacity ? (remaining / capacity) * 100 : null;
  return {
    time: new Date(seconds * 1000).toISOString(),
    state: stateOf(rack, online),
    voltage_v: maybe(rack.voltage, 2),
    current_a: online.length ? round(rack.total, 1) : null,
    power_w: online.length ? round(rack.total * rack.voltage, 0) : null,
    soc_pct: maybe(soc, 2), soh_pct: maybe(mean(online, 'soh_pct'), 1),
    capacity_ah: capacity, remaining_ah: maybe(remaining, 1), cycles: maybe(mean(online, 'cycles'), 0),
    charge_voltage_limit_v: 55.2, discharge_voltage_limit_v: 44.8,
    charge_current_limit_a: round(rack.limits.charge, 1), discharge_current_limit_a: round(rack.limits.discharge, 1),
    charge_allowed: rack.limits.charge > 0, discharge_allowed: rack.limits.discharge > 0,
    charge_stage: soc !== null && soc > 97 ? 'absorption' : 'bulk', force_charge: 'none', full_charge_request: false,
    temperature_c: maybe(mean(online.map((p) => ({ t: p.temperatures_c[0] })), 't'), 1),
    temperature_min_c: cold.value, temperature_max_c: hot.value,
    temperature_min_pack: cold.pack, temperature_max_pack: hot.pack,
    mos_temperature_max_c: online.length ? Math.max(...online.map((p) => p.mos_temperature_c)) : null,
    cells_in_series: CELLS,
    cell_min_v: low.value, cell_max_v: high.value,
    cell_mean_v: cells.length ? round(cells.reduce((a, b) => a + b, 0) / cells.length, 4) : null,
    cell_min_pack: low.pack, cell_min_cell: low.cell, cell_max_pack: high.pack, cell_max_cell: high.cell,
    packs_total: packs.length, packs_online: online.length,
    packs_blocking_charge: 0, packs_blocking_discharge: 0,
    energy_charged_kwh: round(rack.charged, 2), energy_discharged_kwh: round(rack.discharged, 2),
    protections: [],
    warnings: [...new Set(packs.flatMap((p) => p.warnings))],
    reasons: reasonsOf(rack),
    manufacturer: 'OnePack', model: '16 x 16S 280 Ah', serial: 'mock', hardware_version: null, firmware_version: '0.1.0',
    packs,
  };
}

/** Three inverters: a healthy CAN feed, an RS485 responder, and one that nobody answers on. */
export function invertersOf(rack, seconds) {
  const sent = Math.floor(seconds % 1e6);
  const limits = {
    charge_voltage_limit_v: 55.2,
    charge_current_limit_a: round(rack.limits.charge, 1),
    discharge_current_limit_a: round(rack.limits.discharge, 1),
    lease: 'valid',
  };
  const one = (inverter, rest) => ({ inverter, detail: '', requests: 0, errors: 0, ...limits, ...rest });
  return [
    one(1, { protocol: 'can/pylon-lv-1.2', title: 'PYLON low voltage V1.2', port: 'can0', link: 'up', heard_s: round(seconds % 1, 1), present: true, frames_sent: sent * 6, last_sent_s: 0.2 }),
    one(2, { protocol: 'rs485/pylon-lv-3.3', title: 'PYLON low voltage RS485 V3.3', port: '/dev/ttyUSB1', link: 'up', heard_s: round(seconds % 2, 1), present: true, frames_sent: sent, requests: sent, last_sent_s: 0.9 }),
    one(3, { protocol: 'can/victron-20170717', title: 'Victron CAN-bus BMS', port: 'can1', link: 'error', detail: 'Nobody acknowledges: is the cable plugged in and terminated?', heard_s: null, present: false, frames_sent: 0, errors: 214, last_sent_s: null }),
  ];
}
