// SPDX-License-Identifier: Apache-2.0
// `npm run mock [-- --port N] [--speed X]`: serves dist/ and an imitation of the gateway's API over a simulated rack,
// for developing and testing the page. The demo password is "demo"; a speed of 20 lives twenty seconds in one. Not a
// server for anything else.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { batteryOf, invertersOf, reasonsOf } from './battery.mjs';
import { SETTINGS } from './settings.mjs';
import { History } from './history.mjs';
import { Rack } from './rack.mjs';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const PASSWORD = 'demo';
const COOKIE = 'onepack_session=mock';
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.txt': 'text/plain; charset=utf-8' };

const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};

const SPEED = Number(option('--speed', 1));
const now = () => Date.now() / 1000;
const rack = new Rack();
const history = new History();
const streams = new Set();

history.prepare(rack, now());
rack.events = [];
rack.note(now() - 93400, 'gateway_started', 'info', null, 'Gateway started, version 0.1.0.');
rack.note(now() - 93390, 'pack_joined', 'info', null, '16 packs found on two buses.');
rack.note(now() - 51000, 'charge_stage', 'info', null, 'Charge stage: absorption.');
rack.note(now() - 8200, 'temperature', 'warning', 7, 'Pack 7 is warm: its charge current is reduced.');
rack.note(now() - 700, 'inverter_lost', 'alarm', null, 'Inverter 3 does not acknowledge on can1.');
rack.note(now() - 260, 'login', 'info', null, 'Login from 192.0.2.7.');
rack.setPlugged(11, false);
for (let s = 40; s > 0; s--) rack.step(now() - s, 1);

function send(response, status, body, headers = {}) {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers });
  response.end(text);
}

function push(name, value) {
  for (const response of streams) response.write(`event: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
}

function tick() {
  const t = now();
  const newest = rack.events[0]?.id ?? 0;
  rack.step(t, SPEED);
  history.add(rack, t);
  push('battery', batteryOf(rack, t));
  push('inverters', invertersOf(rack, t));
  for (const event of rack.events.filter((e) => e.id > newest).reverse()) push('event', event);
}

function stream(request, response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write('retry: 1000\n\n');
  streams.add(response);
  request.on('close', () => streams.delete(response));
}

function command(text) {
  const [verb, argument] = text.split(' ');
  const value = Number(argument);
  if (verb === 'plug' || verb === 'unplug') return rack.setPlugged(value, verb === 'plug');
  if (verb === 'auto') rack.order = { kind: 'auto', watts: 0 };
  else if (verb === 'sun' && value >= 0) rack.order = { kind: 'fixed', watts: value };
  else if (verb === 'load' && value >= 0) rack.order = { kind: 'fixed', watts: -value };
  else return false;
  return true;
}

function post(request, response, path, body, authenticated) {
  if (request.headers['x-onepack'] !== '1') return send(response, 403, { error: 'X-OnePack header missing' });
  if (path === '/api/v1/login') {
    if (body.password !== PASSWORD) return send(response, 401, { error: 'Wrong password.' });
    return send(response, 204, undefined, { 'Set-Cookie': `${COOKIE}; HttpOnly; SameSite=Strict; Path=/` });
  }
  if (path === '/api/v1/logout') return send(response, 204, undefined, { 'Set-Cookie': 'onepack_session=; Max-Age=0; Path=/' });
  if (path !== '/api/v1/demo') return send(response, 404, { error: 'no such page' });
  if (!authenticated) return send(response, 401, { error: 'Please log in.' });
  if (!command(String(body.command))) return send(response, 400, { error: 'No such command.' });
  rack.note(now(), 'command', 'info', null, `Demo: ${body.command}.`);
  push('event', rack.events[0]);
  return send(response, 204);
}

function get(response, path, query, authenticated) {
  const number = (name, fallback) => Number(query.get(name) ?? fallback);
  switch (path) {
    case '/api/v1/battery':
      return send(response, 200, batteryOf(rack, now()));
    case '/api/v1/inverters':
      return send(response, 200, invertersOf(rack, now()));
    case '/api/v1/events':
      return send(response, 200, rack.events.filter((e) => e.id < number('before', Infinity)).slice(0, number('limit', 100)));
    case '/api/v1/history':
      return send(response, 200, history.query({ from: number('from', 0), to: number('to', now()), step: number('step', 60), fields: (query.get('fields') ?? '').split(',') }));
    case '/api/v1/reasons': // the mock remembers values, but only the reasons of now
      return send(response, 200, { at: number('at', now()), values: history.at(number('at', now())), reasons: reasonsOf(rack).map((one) => ({ ...one, t: number('at', now()) - 60 })) });
    case '/api/v1/config':
      return send(response, 200, { battery: SETTINGS });
    case '/api/v1/session':
      return send(response, 200, { authenticated, login_configured: true, demo: true, version: '0.1.0', gateway: 'mock' });
    default:
      return send(response, 404, { error: 'no such page' });
  }
}

function file(response, path) {
  const name = join(DIST, normalize(path === '/' ? '/index.html' : path));
  const found = name.startsWith(DIST) && statSync(name, { throwIfNoEntry: false })?.isFile();
  if (!found) return send(response, 404, { error: 'no such file' });
  response.writeHead(200, {
    'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
    'Content-Security-Policy': "default-src 'self'",
    'X-Content-Type-Options': 'nosniff',
  });
  return createReadStream(name).pipe(response);
}

async function readBody(request) {
  let text = '';
  for await (const part of request) text += part;
  try {
    return JSON.parse(text || '{}');
  } catch {
    return {};
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  const authenticated = (request.headers.cookie ?? '').includes(COOKIE);
  if (url.pathname === '/api/v1/stream') return stream(request, response);
  if (request.method === 'POST') return post(request, response, url.pathname, await readBody(request), authenticated);
  if (url.pathname.startsWith('/api/')) return get(response, url.pathname, url.searchParams, authenticated);
  return file(response, url.pathname);
});

server.listen(Number(option('--port', 8090)), '127.0.0.1', () => {
  console.log(`mock gateway on http://127.0.0.1:${server.address().port} (password: ${PASSWORD})`);
});
setInterval(tick, 1000);
