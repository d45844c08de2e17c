// SPDX-License-Identifier: Apache-2.0
// The gateway's JSON as TypeScript types, written from the public contract (battery object, HTTP). SI units are in
// the names, null means unknown, current and power are positive while charging. `toBattery` makes a partial object
// safe to draw (an older gateway, a battery without data); it judges no value.

export type Num = number | null;
export type Flag = boolean | null;

export type BatteryState = 'charging' | 'discharging' | 'standby' | 'fault' | 'no_data';
export type PackState = 'absent' | 'probing' | 'candidate' | 'active' | 'held' | 'lost' | 'quarantined';
export type ChargeStage = 'bulk' | 'absorption' | 'float' | 'done';
export type LimitName = 'charge_current' | 'discharge_current' | 'charge_voltage' | 'discharge_voltage';

/** What would limit next if the present cause went away. */
export interface RunnerUp {
  value: Num;
  rule: string;
  pack: Num;
  cell: Num;
  text: string;
}

export interface Reason extends RunnerUp {
  limit: LimitName;
  runner_up?: RunnerUp | null;
}

/** A reason of the past, with the time in seconds at which it came into force. */
export interface DatedReason extends Reason {
  t: number;
}

/** Why the limits were what they were; `values` is null when the gateway was not running then. */
export interface Moment {
  at: number;
  values: Partial<Limits> | null;
  reasons: DatedReason[];
}

/** One key of `battery:` in the gateway's configuration. */
export interface Setting {
  key: string;
  kind: 'number' | 'flag' | 'choice' | 'curve';
  group: string;
  meaning: string;
  value: Num | boolean | string | [number, number][];
  default: Num | boolean | string | [number, number][];
  unit?: string;
  low?: Num;
  high?: Num;
  possible?: string[];
}

interface Limits {
  charge_voltage_limit_v: Num;
  discharge_voltage_limit_v: Num;
  charge_current_limit_a: Num;
  discharge_current_limit_a: Num;
}

interface Measured {
  voltage_v: Num;
  current_a: Num;
  soc_pct: Num;
  soh_pct: Num;
  capacity_ah: Num;
  remaining_ah: Num;
  cycles: Num;
  protections: string[];
  warnings: string[];
}

export interface Pack extends Limits, Measured {
  pack: number;
  bus: string | null;
  address: Num;
  serial: string | null;
  model: string | null;
  firmware_version: string | null;
  protocol: string | null;
  state: PackState;
  age_s: Num;
  share_pct: Num;
  share_confidence_pct?: Num;
  charge_mos: Flag;
  discharge_mos: Flag;
  precharge: Flag;
  heater: Flag;
  balancing: Flag;
  balance_current_a: Num;
  cells_v: Num[];
  temperatures_c: Num[];
  mos_temperature_c: Num;
}

export interface Battery extends Limits, Measured {
  time: string | null;
  state: BatteryState;
  power_w: Num;
  charge_allowed: Flag;
  discharge_allowed: Flag;
  charge_stage: ChargeStage | null;
  force_charge: 'none' | 'soft' | 'urgent' | null;
  full_charge_request: Flag;
  temperature_c: Num;
  temperature_min_c: Num;
  temperature_max_c: Num;
  temperature_min_pack: Num;
  temperature_max_pack: Num;
  mos_temperature_max_c: Num;
  cells_in_series: Num;
  cell_min_v: Num;
  cell_max_v: Num;
  cell_mean_v: Num;
  cell_min_pack: Num;
  cell_min_cell: Num;
  cell_max_pack: Num;
  cell_max_cell: Num;
  packs_total: Num;
  packs_online: Num;
  packs_blocking_charge: Num;
  packs_blocking_discharge: Num;
  energy_charged_kwh: Num;
  energy_discharged_kwh: Num;
  reasons: Reason[];
  manufacturer: string | null;
  model: string | null;
  serial: string | null;
  hardware_version: string | null;
  firmware_version: string | null;
  packs: Pack[];
}

export type Severity = 'info' | 'warning' | 'alarm';

export interface GatewayEvent {
  /** Missing while the gateway has not yet stored it. */
  id?: Num;
  time: string | null;
  kind: string;
  severity: Severity;
  pack: Num;
  text: string;
}

export interface Inverter extends Omit<Limits, 'discharge_voltage_limit_v'> {
  inverter: number;
  protocol: string;
  title: string | null;
  port: string;
  link: 'up' | 'down' | 'error';
  detail: string | null;
  heard_s: Num;
  present: Flag;
  frames_sent: Num;
  requests: Num;
  errors: Num;
  last_sent_s: Num;
  lease: 'valid' | 'expired' | null;
}

export interface Session {
  authenticated: boolean;
  login_configured: boolean;
  demo: boolean;
  version: string | null;
  gateway: string | null;
}

export interface HistoryAnswer {
  from: number;
  to: number;
  step: number;
  fields: string[];
  rows: Num[][];
}

const list = <T>(value: T[] | null | undefined): T[] => (Array.isArray(value) ? value : []);

function toPack(raw: Pack): Pack {
  return {
    ...raw,
    cells_v: list(raw.cells_v),
    temperatures_c: list(raw.temperatures_c),
    protections: list(raw.protections),
    warnings: list(raw.warnings),
  };
}

/** A time stamp in milliseconds, NaN when there is none. */
export const timeMs = (time: string | null | undefined): number => (time ? Date.parse(time) : NaN);

/** The battery object with every list present; missing numbers stay undefined and are drawn as unknown. */
export function toBattery(raw: Battery): Battery {
  return {
    ...raw,
    state: raw.state ?? 'no_data',
    reasons: list(raw.reasons),
    protections: list(raw.protections),
    warnings: list(raw.warnings),
    packs: list(raw.packs).map(toPack),
  };
}
