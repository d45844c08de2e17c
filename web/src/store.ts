// SPDX-License-Identifier: Apache-2.0
// The page's whole state in one hook: first answers by request, then the event stream, then what is missed during a
// break by request again. Components get values and never talk to the gateway, except to send a command.

import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { timeMs, type Battery, type GatewayEvent, type Inverter, type Session, type Setting } from './api';
import { getBattery, getEvents, getInverters, getSession, getSettings } from './client';
import { openStream } from './stream';
import { linkOf, type Link } from './lib/freshness';
import { smooth, type Smoothed } from './lib/estimate';

export interface GatewayData {
  battery: Battery | null;
  inverters: Inverter[] | null;
  events: GatewayEvent[] | null;
  session: Session | null;
  settings: Setting[];
  /** Smoothed battery current, for the time estimate only. */
  current: Smoothed | null;
  /** This machine's time at which the battery's own time stamp last moved; 0 is never. */
  advancedAtMs: number;
  /** Gateway clock minus this machine's clock, so that ages are right on a phone with a wrong clock. */
  clockOffsetMs: number;
}

type Action =
  | { is: 'battery'; battery: Battery; nowMs: number }
  | { is: 'inverters'; inverters: Inverter[] }
  | { is: 'session'; session: Session }
  | { is: 'settings'; settings: Setting[] }
  | { is: 'events'; events: GatewayEvent[] };

const NOTHING: GatewayData = {
  battery: null,
  inverters: null,
  events: null,
  session: null,
  settings: [],
  current: null,
  advancedAtMs: 0,
  clockOffsetMs: 0,
};

const EVENTS_KEPT = 500;
const EVENTS_FIRST = 100;

// An event may be pushed before it is stored and has a number, so it is known by what it says.
const identity = (event: GatewayEvent): string => [event.time, event.kind, event.pack, event.text].join('|');

/** Events, newest first, each once, however they arrived. */
export function mergeEvents(before: GatewayEvent[] | null, more: GatewayEvent[]): GatewayEvent[] {
  const found = new Map<string, GatewayEvent>();
  for (const event of [...(before ?? []), ...more]) {
    const key = identity(event);
    found.set(key, { ...event, id: event.id ?? found.get(key)?.id ?? null });
  }
  const newest = (event: GatewayEvent): number => timeMs(event.time) || 0;
  const sorted = [...found.values()].sort((a, b) => newest(b) - newest(a) || (b.id ?? 0) - (a.id ?? 0));
  return sorted.slice(0, EVENTS_KEPT);
}

function withBattery(data: GatewayData, battery: Battery, nowMs: number): GatewayData {
  const repeated = data.battery !== null && data.battery.time !== null && data.battery.time === battery.time;
  if (repeated) return { ...data, battery };
  const gatewayMs = timeMs(battery.time);
  return {
    ...data,
    battery,
    current: smooth(data.current, battery.current_a, nowMs),
    advancedAtMs: nowMs,
    clockOffsetMs: Number.isNaN(gatewayMs) ? data.clockOffsetMs : gatewayMs - nowMs,
  };
}

export function reduce(data: GatewayData, action: Action): GatewayData {
  switch (action.is) {
    case 'battery':
      return withBattery(data, action.battery, action.nowMs);
    case 'inverters':
      return { ...data, inverters: action.inverters };
    case 'session':
      return { ...data, session: action.session };
    case 'settings':
      return { ...data, settings: action.settings };
    case 'events':
      return { ...data, events: mergeEvents(data.events, action.events) };
  }
}

export interface Gateway extends GatewayData {
  link: Link;
  /** The gateway's wall clock now, in milliseconds. */
  nowMs: number;
  /** Counts reconnections: the chart loads its history again when it changes. */
  epoch: number;
  reloadSession: () => Promise<void>;
  loadOlderEvents: () => Promise<number>;
}

/** Follows the gateway for as long as the page lives. */
export function useGateway(): Gateway {
  const [data, dispatch] = useReducer(reduce, NOTHING);
  const [localMs, setLocalMs] = useState(Date.now());
  const [epoch, setEpoch] = useState(0);
  const events = useRef<GatewayEvent[] | null>(null);
  events.current = data.events;

  async function reloadSession(): Promise<void> {
    dispatch({ is: 'session', session: await getSession() });
  }

  async function loadOlderEvents(): Promise<number> {
    const oldest = events.current?.filter((event) => event.id).at(-1);
    const older = await getEvents(EVENTS_FIRST, oldest?.id ?? undefined);
    dispatch({ is: 'events', events: older });
    return older.length;
  }

  // What fails here comes with the stream or with the next reconnection; the header shows that nothing is live.
  function loadAll(): void {
    const ignore = (): void => undefined;
    getBattery().then((battery) => dispatch({ is: 'battery', battery, nowMs: Date.now() }), ignore);
    getInverters().then((inverters) => dispatch({ is: 'inverters', inverters }), ignore);
    getEvents(EVENTS_FIRST).then((list) => dispatch({ is: 'events', events: list }), ignore);
    getSettings().then((settings) => dispatch({ is: 'settings', settings }), ignore);
    reloadSession().catch(ignore);
  }

  useEffect(() => {
    loadAll();
    let broken = false;
    const close = openStream('/api/v1/stream', {
      onOpen: () => {
        if (!broken) return;
        broken = false;
        loadAll();
        setEpoch((n) => n + 1);
      },
      onBreak: () => {
        broken = true;
      },
      onBattery: (battery) => dispatch({ is: 'battery', battery, nowMs: Date.now() }),
      onEvent: (event) => dispatch({ is: 'events', events: [event] }),
      onInverters: (inverters) => dispatch({ is: 'inverters', inverters }),
    });
    const timer = setInterval(() => setLocalMs(Date.now()), 1000);
    return () => {
      close();
      clearInterval(timer);
    };
  }, []);

  const link = linkOf(data.advancedAtMs, Math.max(localMs, data.advancedAtMs));
  return { ...data, link, nowMs: localMs + data.clockOffsetMs, epoch, reloadSession, loadOlderEvents };
}
