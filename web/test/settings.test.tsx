// SPDX-License-Identifier: Apache-2.0
// Settings as text, where they act, and in the list of all.

import { describe, expect, it } from 'vitest';
import { renderToString } from 'preact-render-to-string';
import type { Setting } from '../src/api';
import { isChanged, nameOf, placeOf, rangeText, settingsOf, valueText } from '../src/lib/settings';
import { LimitsView } from '../src/ui/limits';
import { Settings } from '../src/ui/settings';
import { Stack } from '../src/ui/stack';
import { pack, rack } from './battery';

const none = (): void => undefined;
const setting = (key: string, more: Partial<Setting> = {}): Setting => ({ key, kind: 'number', group: 'Main', meaning: `what ${key} means`, value: 0.5, default: 0.5, unit: 'V', low: 0.05, high: 5, ...more });

describe('a setting', () => {
  it.each([
    [setting('join_voltage_v'), '0.5\u00a0V', '0.05 to 5\u00a0V', 'Join voltage'],
    [setting('packs_expected', { value: null, unit: '' }), 'not set', '0.05 to 5', 'Packs expected'],
    [setting('n_minus_1', { kind: 'flag', value: true }), 'yes', 'yes or no', 'N minus 1'],
    [setting('limit_rule', { kind: 'choice', value: 'sum', possible: ['share', 'sum'] }), 'sum', 'share, sum', 'Limit rule'],
    [setting('charge_cell_table', { kind: 'curve', value: [[3.35, 1], [3.55, 0]], unit: 'V, part' }), '3.35 → 1, 3.55 → 0', 'points (V, part)', 'Charge cell table'],
    [setting('cell_surprise_v', { value: 0.1 + 0.2 }), '0.3\u00a0V', '0.05 to 5\u00a0V', 'Cell surprise'],
  ])('%# is told in words', (one, value, range, name) => {
    expect(valueText(one)).toBe(value);
    expect(rangeText(one)).toBe(range);
    expect(nameOf(one)).toBe(name);
  });

  it('knows its place, and has one even if it is newer than the page', () => {
    expect(placeOf(setting('join_voltage_v'))).toBe('packs');
    expect(placeOf(setting('charge_cell_table'))).toBe('pack');
    expect(placeOf(setting('quorum_pct'))).toBe('battery');
    expect(placeOf(setting('brand_new_v'))).toBe('limits');
  });

  it('is changed when it is not the default', () => {
    expect(isChanged(setting('a', { value: [[1, 2]], default: [[1, 2]] }))).toBe(false);
    expect(isChanged(setting('a', { value: 1 }))).toBe(true);
  });
});

describe('where it acts', () => {
  it('a candidate says how close and how long it has to be', () => {
    const settings = [setting('join_voltage_v'), setting('join_time_s', { value: 10, unit: 's' })];
    const html = renderToString(<Stack packs={[pack(1, { state: 'candidate' }), pack(2, { state: 'active' })]} settings={settings} onPack={none} />);
    expect(html.match(/joins within/g)).toHaveLength(1);
    expect(html).toContain('joins within 0.5\u00a0V of the others for 10\u00a0s');
  });

  it('a rule names the settings behind it, for its own direction', () => {
    const settings = [setting('charge_current_max_a', { value: 50, unit: 'A' }), setting('discharge_current_max_a', { value: 60, unit: 'A' }), setting('rise_hold_s', { value: 30, unit: 's' })];
    expect(settingsOf(settings, 'user_cap', 'charge_current').map((one) => one.key)).toEqual(['charge_current_max_a']);
    expect(settingsOf(settings, 'user_cap', 'discharge_current').map((one) => one.key)).toEqual(['discharge_current_max_a']);
    expect(settingsOf(settings, 'a_new_rule', 'charge_current')).toEqual([]);
    const reasons = [{ limit: 'charge_current' as const, value: 5, rule: 'hold', pack: null, cell: null, text: 'Charging stays.', runner_up: { value: 9, rule: 'user_cap', pack: null, cell: null, text: 'Otherwise more.' } }];
    const html = renderToString(<LimitsView battery={rack({ charge_current_limit_a: 5, reasons })} settings={settings} onPack={none} />);
    expect(html).toContain('data-rule-key="rise_hold_s"');
    expect(html.indexOf('Charging stays.')).toBeLessThan(html.indexOf('Otherwise more.'));
  });
});

describe('the list of all', () => {
  it('marks what is not at its default and tells the default', () => {
    const html = renderToString(<Settings settings={[setting('a_v', { value: 1 }), setting('b_v', { group: 'Details' })]} />);
    expect(html).toContain('1 changed from the default');
    expect(html).toContain('default 0.5\u00a0V; possible: 0.05 to 5\u00a0V');
    expect(html).toContain('<summary>Details</summary>');
  });
});
