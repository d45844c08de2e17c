// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { smooth, timeLeft } from '../src/lib/estimate';

describe('time left', () => {
  it.each([
    ['charging', 3000, 4000, 250, { towards: 'full', hours: 4 }],
    ['discharging', 3000, 4000, -250, { towards: 'empty', hours: 12 }],
    ['full already', 4010, 4000, 20, { towards: 'full', hours: 0 }],
    ['at rest', 3000, 4000, 5, null],
    ['too slow to matter', 4000, 4000, -10, null],
    ['current unknown', 3000, 4000, null, null],
    ['capacity unknown', 3000, null, 100, null],
    ['capacity zero', 0, 0, 100, null],
    ['charge unknown', null, 4000, 100, null],
  ])('%s', (_name, remaining, capacity, amps, left) => expect(timeLeft(remaining, capacity, amps)).toEqual(left));
});

describe('smoothing', () => {
  const start = { value: 100, atMs: 0 };

  it('starts with the first value', () => expect(smooth(null, 42, 5)).toEqual({ value: 42, atMs: 5 }));

  it('forgets on unknown', () => expect(smooth(start, null, 1000)).toBeNull());

  it('follows slowly', () => {
    const next = smooth(start, 200, 1000);
    expect(next?.value).toBeGreaterThan(101);
    expect(next?.value).toBeLessThan(103);
  });

  it.each([
    ['after a gap', 200, 31_000],
    ['when the direction turns', -50, 1000],
    ['when the clock goes back', 200, -1],
  ])('starts again %s', (_name, value, atMs) => expect(smooth(start, value, atMs)).toEqual({ value, atMs }));
});
