// SPDX-License-Identifier: Apache-2.0
// Values as text. Unknown is always an en dash, minus is the real minus sign, digits are fixed so that a live number
// does not jump about. No locale: an owner who compares the page with a log should see the same digits.

import type { Num } from '../api';

export const DASH = '–';
const MINUS = '−';

type Maybe = Num | undefined;

export const known = (value: Maybe): value is number => typeof value === 'number' && Number.isFinite(value);

/** A number with fixed decimals; thousands are set apart by a thin space. */
export function num(value: Maybe, digits = 0): string {
  if (!known(value)) return DASH;
  const [whole = '', decimals] = Math.abs(value).toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  const text = decimals === undefined ? grouped : `${grouped}.${decimals}`;
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** A number with its unit, or the bare dash. */
export const unit = (value: Maybe, digits: number, name: string): string =>
  known(value) ? `${num(value, digits)}\u00a0${name}` : DASH;

/** With an explicit plus sign, for values whose direction matters. */
export function signed(value: Maybe, digits = 0): string {
  const text = num(value, digits);
  return known(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** State of charge and limits round down: 100 is shown only at 100, and no limit higher than it is. */
export const floorTo = (value: Maybe, digits: number): Num =>
  known(value) ? Math.floor(value * 10 ** digits + 1e-6) / 10 ** digits : null;

/** Watts below one kilowatt, kilowatts above. */
export function power(watts: Maybe): { value: string; unit: string } {
  if (!known(watts)) return { value: DASH, unit: 'W' };
  return Math.abs(watts) < 1000
    ? { value: num(watts), unit: 'W' }
    : { value: num(watts / 1000, 2), unit: 'kW' };
}

/** Hours as words, coarser the longer they are. */
export function duration(hours: Maybe): string {
  if (!known(hours) || hours < 0) return DASH;
  if (hours >= 48) return `${num(hours / 24)} days`;
  const minutes = Math.round(hours * 60);
  if (minutes < 1) return 'under 1 min';
  const step = minutes >= 120 ? 5 : 1;
  const rounded = Math.round(minutes / step) * step;
  const h = Math.floor(rounded / 60);
  const min = rounded % 60;
  return h === 0 ? `${min} min` : `${h} h ${String(min).padStart(2, '0')} min`;
}

/** An age in seconds, short enough for a table. */
export function age(seconds: Maybe): string {
  if (!known(seconds)) return DASH;
  if (seconds < 10) return `${num(Math.max(0, seconds), 1)} s`;
  if (seconds < 120) return `${num(seconds)} s`;
  if (seconds < 7200) return `${num(seconds / 60)} min`;
  return seconds < 172800 ? `${num(seconds / 3600)} h` : `${num(seconds / 86400)} days`;
}

/** How long ago something happened, for people. */
export function ago(seconds: Maybe): string {
  if (!known(seconds)) return DASH;
  return seconds < 5 ? 'just now' : `${age(Math.round(seconds))} ago`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Local time of day. */
export function clock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Local date and time, always in the same order. */
export function dateTime(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(ms)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Label of a tick on a time axis: the date at midnight, else the time of day. */
export function timeTick(ms: number): string {
  const at = new Date(ms);
  const midnight = at.getHours() === 0 && at.getMinutes() === 0;
  return midnight ? `${at.getDate()} ${MONTHS[at.getMonth()]}` : `${two(at.getHours())}:${two(at.getMinutes())}`;
}

const ACRONYMS: Record<string, string> = { mos: 'MOSFET', soc: 'SOC', soh: 'SOH', bms: 'BMS', n: 'N' };

/** `cell_overvoltage` as "Cell overvoltage". Names come from the contract, so no table is needed. */
export function words(name: string | null | undefined): string {
  if (!name) return DASH;
  const text = name
    .split('_')
    .map((word) => ACRONYMS[word] ?? word)
    .join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
