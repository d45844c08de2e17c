// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { currentBar, fraction, heatSpanMv, heatStep } from '../src/lib/scale';

describe('heat', () => {
  it.each([
    [[], 10],
    [[null, 3, -4], 10],
    [[10], 10],
    [[-10.1], 20],
    [[44, -90], 100],
    [[5000], 1000],
  ])('span of %j is %s mV', (values, span) => expect(heatSpanMv(values)).toBe(span));

  it.each([
    [null, 10, null],
    [0, 10, 0],
    [-0.3, 10, 0],
    [0.4, 10, 1],
    [-2.5, 10, -2],
    [-10, 10, -5],
    [99, 10, 5],
  ])('step of %s mV in %s is %s', (deviation, span, step) => expect(heatStep(deviation, span)).toBe(step));
});

describe('current bar', () => {
  it.each([
    ['unknown', null, 100, 100, { side: 'none', fill: 0, over: false }],
    ['at rest', 0.1, 100, 100, { side: 'none', fill: 0, over: false }],
    ['charging', 50, 100, 200, { side: 'charge', fill: 0.5, over: false }],
    ['discharging', -50, 100, 200, { side: 'discharge', fill: 0.25, over: false }],
    ['over its limit', -250, 100, 200, { side: 'discharge', fill: 1, over: true }],
    ['without a limit', 50, null, null, { side: 'charge', fill: 1, over: false }],
    ['although nothing is allowed', 5, 0, 0, { side: 'charge', fill: 1, over: true }],
  ] as const)('%s', (_name, amps, charge, discharge, bar) => expect(currentBar(amps, charge, discharge)).toEqual(bar));
});

describe('fraction', () => {
  it.each([
    [null, 10, null],
    [1, null, null],
    [1, 0, null],
    [5, 10, 0.5],
    [15, 10, 1],
    [-1, 10, 0],
  ])('%s of %s is %s', (part, whole, share) => expect(fraction(part, whole)).toBe(share));
});
