// SPDX-License-Identifier: Apache-2.0
// Time to full or empty from a smoothed current. An estimate for people, never an input to anything: the taper near
// full makes the last percent slower than this says, which is why the page writes "about".

import type { Num } from '../api';
import { known } from './format';

export interface Smoothed {
  value: number;
  atMs: number;
}

// A minute rides out kettles and clouds and still follows a real change of load.
const TIME_CONSTANT_MS = 60_000;
const RESTART_AFTER_MS = 30_000;

/** Exponential mean over uneven steps; starts again after a gap or when the current changes direction. */
export function smooth(before: Smoothed | null, value: Num, atMs: number): Smoothed | null {
  if (!known(value)) return null;
  const gap = before === null ? Infinity : atMs - before.atMs;
  if (before === null || gap < 0 || gap > RESTART_AFTER_MS || before.value * value < 0) return { value, atMs };
  const weight = 1 - Math.exp(-gap / TIME_CONSTANT_MS);
  return { value: before.value + (value - before.value) * weight, atMs };
}

export interface Estimate {
  towards: 'full' | 'empty';
  hours: number;
}

// Below 0.2 % of the capacity per hour the answer would be weeks, and mostly sensor noise.
const MIN_RATE_PER_H = 0.002;
const MAX_HOURS = 240;

/** Hours until full (charging) or empty (discharging); null at rest or when something is unknown. */
export function timeLeft(remainingAh: Num, capacityAh: Num, currentA: Num): Estimate | null {
  if (!known(remainingAh) || !known(capacityAh) || !known(currentA) || capacityAh <= 0) return null;
  if (Math.abs(currentA) < capacityAh * MIN_RATE_PER_H) return null;
  const towards = currentA > 0 ? 'full' : 'empty';
  const amountAh = towards === 'full' ? capacityAh - remainingAh : remainingAh;
  const hours = Math.max(0, amountAh) / Math.abs(currentA);
  return hours > MAX_HOURS ? null : { towards, hours };
}
