// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { age, ago, clock, dateTime, duration, floorTo, num, power, signed, timeTick, unit, words } from '../src/lib/format';

describe('numbers', () => {
  it.each([
    [null, 1, '–'],
    [undefined, 1, '–'],
    [NaN, 1, '–'],
    [0, 1, '0.0'],
    [-0.04, 1, '0.0'],
    [-12.34, 1, '−12.3'],
    [1716.5, 1, '1\u202f716.5'],
    [1234567, 0, '1\u202f234\u202f567'],
    [0.1234567, 4, '0.1235'],
  ])('num(%s, %s) is %s', (value, digits, text) => expect(num(value, digits)).toBe(text));

  it('has a sign where direction matters', () => {
    expect([signed(3.14, 1), signed(-3.14, 1), signed(0.01, 1), signed(null, 1)]).toEqual(['+3.1', '−3.1', '0.0', '–']);
  });

  it('puts the unit only behind a number', () => {
    expect(unit(53.6, 2, 'V')).toBe('53.60\u00a0V');
    expect(unit(null, 2, 'V')).toBe('–');
  });

  it('shows 100 % only at 100', () => {
    expect(floorTo(99.99, 1)).toBe(99.9);
    expect(floorTo(100, 1)).toBe(100);
    expect(floorTo(73.4, 1)).toBe(73.4);
    expect(floorTo(null, 1)).toBeNull();
  });

  it.each([
    [null, '–', 'W'],
    [-999, '−999', 'W'],
    [1000, '1.00', 'kW'],
    [-20460, '−20.46', 'kW'],
  ])('power(%s) is %s %s', (watts, value, name) => expect(power(watts)).toEqual({ value, unit: name }));
});

describe('times', () => {
  it.each([
    [null, '–'],
    [-1, '–'],
    [0.004, 'under 1 min'],
    [0.5, '30 min'],
    [1.5, '1 h 30 min'],
    [1.999, '2 h 00 min'],
    [2.7, '2 h 40 min'],
    [47.99, '48 h 00 min'],
    [72, '3 days'],
  ])('duration(%s) is %s', (hours, text) => expect(duration(hours)).toBe(text));

  it.each([
    [null, '–'],
    [-0.2, '0.0 s'],
    [0.84, '0.8 s'],
    [42, '42 s'],
    [150, '3 min'],
    [7300, '2 h'],
    [200000, '2 days'],
  ])('age(%s) is %s', (seconds, text) => expect(age(seconds)).toBe(text));

  it('speaks of the past', () => {
    expect([ago(-3), ago(4), ago(61), ago(null)]).toEqual(['just now', 'just now', '61 s ago', '–']);
  });

  it('writes local times the same way everywhere', () => {
    const at = new Date(2026, 0, 5, 7, 8, 9).getTime();
    expect(clock(at)).toBe('07:08:09');
    expect(dateTime(at)).toBe('2026-01-05 07:08:09');
    expect(timeTick(at)).toBe('07:08');
    expect(timeTick(new Date(2026, 0, 5).getTime())).toBe('5 Jan');
  });
});

describe('names', () => {
  it.each([
    ['cell_overvoltage', 'Cell overvoltage'],
    ['mos_overtemperature', 'MOSFET overtemperature'],
    ['n_minus_1', 'N minus 1'],
    ['share', 'Share'],
    ['', '–'],
    [null, '–'],
  ])('words(%s) is %s', (name, text) => expect(words(name)).toBe(text));
});
