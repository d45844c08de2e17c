// SPDX-License-Identifier: Apache-2.0
// The requests the page makes. Every POST carries the `X-OnePack` header, which a foreign page cannot add without
// asking first, and so cannot be forged from elsewhere. No state, no retry: callers decide what a failure means.

import {
  toBattery,
  type Battery,
  type GatewayEvent,
  type HistoryAnswer,
  type Inverter,
  type Moment,
  type Session,
  type Setting,
} from './api';

/** A refused request: the HTTP status and the gateway's own words, if it sent any. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function refusal(answer: Response): Promise<RequestError> {
  const body: unknown = await answer.json().catch(() => null);
  const said = body !== null && typeof body === 'object' && 'error' in body ? String(body.error) : '';
  return new RequestError(answer.status, said || `The gateway answered ${answer.status}.`);
}

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(path, { headers: { Accept: 'application/json' }, cache: 'no-store' });
  if (!answer.ok) throw await refusal(answer);
  return (await answer.json()) as T;
}

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-OnePack': '1' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw await refusal(answer);
}

export const getBattery = async (): Promise<Battery> => toBattery(await get<Battery>('/api/v1/battery'));
export const getSession = (): Promise<Session> => get('/api/v1/session');
export const getInverters = (): Promise<Inverter[]> => get('/api/v1/inverters');

export const getReasons = (at: number): Promise<Moment> => get(`/api/v1/reasons?at=${Math.floor(at)}`);

/** The settings of the battery; none from a gateway that does not tell them yet. */
export const getSettings = async (): Promise<Setting[]> => (await get<{ battery?: Setting[] }>('/api/v1/config')).battery ?? [];

export function getEvents(limit: number, before?: number): Promise<GatewayEvent[]> {
  const older = before === undefined ? '' : `&before=${before}`;
  return get(`/api/v1/events?limit=${limit}${older}`);
}

export function getHistory(from: number, to: number, step: number, fields: string[]): Promise<HistoryAnswer> {
  return get(`/api/v1/history?from=${from}&to=${to}&step=${step}&fields=${fields.join(',')}`);
}

export const login = (password: string): Promise<void> => post('/api/v1/login', { password });
export const logout = (): Promise<void> => post('/api/v1/logout', {});
export const sendDemo = (command: string): Promise<void> => post('/api/v1/demo', { command });
