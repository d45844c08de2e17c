// SPDX-License-Identifier: Apache-2.0
// Where each setting of the battery acts, as text and place. The gateway tells names, values and meanings; only the places
// are known here, and a setting that is newer than this page still gets one.

import type { LimitName, Setting } from '../api';
import { DASH, known, words } from './format';

/** Parts of the page. `pack` is the dialog of one pack. */
export type Place = LimitName | 'limits' | 'battery' | 'packs' | 'pack';

const PLACES: Record<Place, RegExp> = {
  battery: /^(packs_expected|cells_in_series|quorum_pct|soc_(slew|basis|hold|drift).*|voltage_outlier_v|low_soc_pct)$/,
  charge_current: /^(charge_current_max_a|rest_for_balancing|recovery_current_a)$/,
  discharge_current: /^discharge_current_max_a$/,
  charge_voltage: /^((charge|float)_target_cell_v|cvl_policy|full_.*|refill_pct|float_fall.*|voltage_rise.*|silent_cell_v)$/,
  discharge_voltage: /^cell_undervoltage_v$/,
  pack: /^(limit_headroom_pct|cell_overvoltage_v|.*_table|cell_hysteresis_v|stale_limit_pct|critical_.*)$/,
  packs: /^(join_.*|refuse_voltage_v|fresh_s|held_s|lost_s|.*_possible_.*|sum_tolerance_v|.*_surprise_.*|confirm_.*|quarantine_.*|duplicate_memory_s|meter_tolerance_a|isolated_time_s)$/,
  limits: /^(rise_.*|start_current_a|limit_rule|n_minus_1|loss_hold_s|learn_shares|share_.*)$/,
};

export function placeOf(setting: Setting): Place {
  const found = Object.entries(PLACES).find(([, keys]) => keys.test(setting.key));
  return (found?.[0] as Place | undefined) ?? 'limits';
}

export const settingsAt = (settings: Setting[], place: Place): Setting[] => settings.filter((one) => placeOf(one) === place);

// The settings behind a rule that limits now; rules whose numbers come from a pack have none.
const RULES: Record<string, string[]> = {
  hold: ['rise_hold_s'],
  rising: ['rise_pct_per_s'],
  too_small: ['start_current_a'],
  full: ['limit_headroom_pct'],
  share: ['limit_headroom_pct'],
  min: ['limit_rule'],
  cell_voltage: ['cell_overvoltage_v', 'cell_undervoltage_v'],
  cell_recovery: ['cell_hysteresis_v'],
  critical_cell: ['critical_cell_v', 'critical_time_s'],
  stale: ['fresh_s', 'held_s'],
  silent_pack: ['stale_limit_pct', 'silent_cell_v'],
  n_minus_1: ['n_minus_1'],
  rest_for_balancing: ['rest_for_balancing'],
  user_cap: ['charge_current_max_a', 'discharge_current_max_a'],
  joining: ['join_voltage_v', 'join_time_s'],
  quorum: ['quorum_pct'],
  cell_count: ['cells_in_series'],
  charge_target: ['charge_target_cell_v'],
  float: ['float_target_cell_v'],
  cell_excess: ['charge_target_cell_v'],
  voltage_rising: ['voltage_rise_hold_s', 'voltage_rise_per_s_v'],
  voltage_falling: ['float_fall_per_min_v'],
  discharge_end: ['cell_undervoltage_v'],
};

const OTHER_DIRECTION: Partial<Record<LimitName, RegExp>> = {
  charge_current: /^(discharge_|cell_undervoltage)/,
  discharge_current: /^(charge_|cell_overvoltage)/,
};

/** The settings behind a rule that decides this limit. */
export function settingsOf(settings: Setting[], rule: string, limit: LimitName): Setting[] {
  const keys = RULES[rule] ?? [];
  const other = OTHER_DIRECTION[limit];
  return keys
    .map((key) => settings.find((one) => one.key === key))
    .filter((one): one is Setting => one !== undefined && one.value !== null && other?.test(one.key) !== true);
}

const plain = (value: number): string => String(Math.round(value * 1e6) / 1e6);

/** A value as people read it: "0.5 V", "yes", "not set". */
export function valueText(setting: Setting, value: Setting['value'] = setting.value): string {
  if (value === null || value === undefined) return 'not set';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(([x, y]) => `${plain(x)} → ${plain(Math.round(y * 1000) / 1000)}`).join(', ');
  const symbol = (setting.unit ?? '').replace('degC', '°C');
  return symbol ? `${plain(value)}\u00a0${symbol}` : plain(value);
}

/** What is possible: "0.05 to 5 V", "yes or no", "share, sum or min". */
export function rangeText(setting: Setting): string {
  if (setting.kind === 'flag') return 'yes or no';
  if (setting.possible) return setting.possible.join(', ');
  if (setting.kind === 'curve') return `points (${setting.unit ?? ''})`;
  return known(setting.low as number) && known(setting.high as number) ? `${plain(setting.low as number)} to ${valueText(setting, setting.high ?? null)}` : DASH;
}

export const isChanged = (setting: Setting): boolean => JSON.stringify(setting.value) !== JSON.stringify(setting.default);

/** The value of one setting, or null when the gateway does not tell it. */
export function textOf(settings: Setting[], key: string): string | null {
  const found = settings.find((one) => one.key === key);
  return found === undefined ? null : valueText(found);
}

/** `join_voltage_v` as "Join voltage": the unit is told with the value. */
export const nameOf = (setting: Setting): string => words(setting.key.replace(/_(v|a|s|c|pct|per_s|per_min_v|per_s_v)$/, ''));
