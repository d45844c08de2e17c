// SPDX-License-Identifier: Apache-2.0
// Some settings as the gateway tells them: one of each kind, and one that is not at its default.

const number = (key, group, unit, value, normal, low, high, meaning) => ({ key, kind: 'number', group, meaning, value, default: normal, unit, low, high });

export const SETTINGS = [
  number('charge_target_cell_v', 'Main settings', 'V', 3.45, 3.45, 2, 4.2, 'charge until the cells reach this'),
  number('charge_current_max_a', 'Main settings', 'A', null, null, 0, 3200, 'never charge with more than this'),
  number('rise_hold_s', 'Main settings', 's', 30, 30, 0, 600, 'after a fall a limit waits this long before it rises'),
  number('quorum_pct', 'Main settings', '%', 40, 50, 0, 100, 'no current when less than this part of the expected capacity is active'),
  number('join_voltage_v', 'Main settings', 'V', 0.5, 0.5, 0.05, 5, 'a pack joins when it is this close to the others ...'),
  number('join_time_s', 'Main settings', 's', 10, 10, 0, 600, '... for this long'),
  { key: 'n_minus_1', kind: 'flag', group: 'Main settings', meaning: 'limits stay safe when any one pack trips', value: false, default: false, unit: '' },
  { key: 'limit_rule', kind: 'choice', group: 'Choices and tables', meaning: 'how pack limits become one limit', value: 'share', default: 'share', possible: ['share', 'sum', 'min'] },
  { key: 'discharge_cell_table', kind: 'curve', group: 'Choices and tables', meaning: "lowest cell -> part of the pack's discharge limit", value: [[2.8, 0], [3.19, 1]], default: [[2.8, 0], [3.19, 1]], unit: 'V, part' },
];
