// SPDX-License-Identifier: Apache-2.0
// Is what the page shows still true? Live means that the gateway's own time stamp keeps moving: a web server that
// repeats the last snapshot of a dead engine counts as stale, and so does a silent connection.

export type Link =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'stale'; sinceMs: number };

/** The stream sends about once a second; five missed ones are no accident. */
export const STALE_AFTER_MS = 5000;

/** `advancedAtMs` is when (on this machine's clock) the battery's time stamp last moved; 0 is never. */
export function linkOf(advancedAtMs: number, nowMs: number): Link {
  if (advancedAtMs === 0) return { state: 'connecting' };
  return nowMs - advancedAtMs <= STALE_AFTER_MS ? { state: 'live' } : { state: 'stale', sinceMs: advancedAtMs };
}
