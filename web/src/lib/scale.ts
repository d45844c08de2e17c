// SPDX-License-Identifier: Apache-2.0
// Numbers to lengths and colours: shares of a bar, steps of the heat map. Pure, so that every edge is in a test.

import type { Num } from '../api';
import { known } from './format';

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

export const HEAT_STEPS = 5;
const HEAT_BEND = 0.7;
const HEAT_SPANS_MV = [10, 20, 50, 100, 200, 500, 1000];

/** The symmetric range of the heat map in mV: the first round figure that holds the largest deviation. */
export function heatSpanMv(deviationsMv: Num[]): number {
  const largest = Math.max(0, ...deviationsMv.filter(known).map(Math.abs));
  return HEAT_SPANS_MV.find((span) => span >= largest) ?? 1000;
}

/**
 * -HEAT_STEPS (lowest) .. 0 (on the mean) .. +HEAT_STEPS (highest); null for an unknown cell. The scale is bent,
 * so that one runaway cell does not hide what the others do; straight, it would, and a root would show noise.
 */
export function heatStep(deviationMv: Num, spanMv: number): Num {
  if (!known(deviationMv)) return null;
  const size = Math.round(Math.min(1, Math.abs(deviationMv) / spanMv) ** HEAT_BEND * HEAT_STEPS);
  return size === 0 ? 0 : Math.sign(deviationMv) * size;
}

export interface CurrentBar {
  /** Which half is filled. */
  side: 'charge' | 'discharge' | 'none';
  /** 0..1 of that half. */
  fill: number;
  /** The pack carries more than its own limit. */
  over: boolean;
}

// Below this a pack is at rest: a current sensor reads a little at zero.
const REST_A = 0.2;

/** A pack's current against the limit of that direction. Without a limit (or with 0) any current fills the bar. */
export function currentBar(currentA: Num, chargeLimitA: Num, dischargeLimitA: Num): CurrentBar {
  if (!known(currentA) || Math.abs(currentA) < REST_A) return { side: 'none', fill: 0, over: false };
  const side = currentA > 0 ? 'charge' : 'discharge';
  const limit = side === 'charge' ? chargeLimitA : dischargeLimitA;
  const amps = Math.abs(currentA);
  if (!known(limit)) return { side, fill: 1, over: false };
  return { side, fill: limit > 0 ? clamp(amps / limit, 0, 1) : 1, over: amps > limit * 1.02 + REST_A };
}

/** A share of a whole as 0..1, or null when either is unknown. */
export function fraction(part: Num, whole: Num): Num {
  return known(part) && known(whole) && whole > 0 ? clamp(part / whole, 0, 1) : null;
}
