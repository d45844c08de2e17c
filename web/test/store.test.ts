// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../src/api';
import { linkOf, STALE_AFTER_MS } from '../src/lib/freshness';
import { mergeEvents, reduce, type GatewayData } from '../src/store';
import { rack } from './battery';

const nothing = { battery: null, inverters: null, events: null, session: null, current: null, advancedAtMs: 0, clockOffsetMs: 0 } as GatewayData;
const event = (second: number, id: number | null = second): GatewayEvent => ({
  id,
  time: new Date(second * 1000).toISOString(),
  kind: 'test',
  severity: 'info',
  pack: null,
  text: `event ${second}`,
});

describe('freshness', () => {
  it('waits for the first value', () => expect(linkOf(0, 1e12)).toEqual({ state: 'connecting' }));
  it('is live at the edge', () => expect(linkOf(1000, 1000 + STALE_AFTER_MS)).toEqual({ state: 'live' }));
  it('is stale behind it, and says since when', () => {
    expect(linkOf(1000, 1001 + STALE_AFTER_MS)).toEqual({ state: 'stale', sinceMs: 1000 });
  });
});

describe('battery', () => {
  const first = reduce(nothing, { is: 'battery', battery: rack(), nowMs: 5000 });

  it("learns the gateway's clock", () => {
    expect(first.advancedAtMs).toBe(5000);
    expect(first.clockOffsetMs).toBe(Date.parse('2026-01-01T12:00:00Z') - 5000);
    expect(first.current?.value).toBe(100);
  });

  it('does not take a repeated snapshot for life', () => {
    expect(reduce(first, { is: 'battery', battery: rack(), nowMs: 9000 }).advancedAtMs).toBe(5000);
    const moved = rack({ time: '2026-01-01T12:00:01.000Z' });
    expect(reduce(first, { is: 'battery', battery: moved, nowMs: 9000 }).advancedAtMs).toBe(9000);
  });

  it('survives a gateway without a clock', () => {
    const timeless = reduce(first, { is: 'battery', battery: rack({ time: null }), nowMs: 9000 });
    expect(reduce(timeless, { is: 'battery', battery: rack({ time: null }), nowMs: 9900 }).advancedAtMs).toBe(9900);
    expect(reduce(first, { is: 'battery', battery: rack({ time: 'never' }), nowMs: 9000 }).clockOffsetMs).toBe(first.clockOffsetMs);
  });
});

describe('events', () => {
  it('are newest first and each only once', () => {
    const merged = mergeEvents([event(5), event(3)], [event(4), event(5), event(6)]);
    expect(merged.map((one) => one.id)).toEqual([6, 5, 4, 3]);
  });

  it('get their number when they are stored', () => {
    expect(mergeEvents([event(5, null)], [event(5, 77)])).toMatchObject([{ id: 77 }]);
    expect(mergeEvents([event(5, 77)], [event(5, null)])).toMatchObject([{ id: 77 }]);
  });

  it('without a time come last', () => {
    expect(mergeEvents([{ ...event(9), time: null }], [event(1)]).map((one) => one.id)).toEqual([1, 9]);
  });

  it('start from nothing', () => expect(mergeEvents(null, [])).toEqual([]));

  it('do not grow without end', () => {
    const many = Array.from({ length: 800 }, (_, id) => event(id));
    expect(mergeEvents(null, many)).toHaveLength(500);
    expect(mergeEvents(null, many)[0]?.id).toBe(799);
  });
});
