// SPDX-License-Identifier: Apache-2.0
// The sections drawn to text: with values, with nothing, and with an object as bare as the contract allows.

import { describe, expect, it } from 'vitest';
import { renderToString } from 'preact-render-to-string';
import { toBattery, type Battery, type Reason } from '../src/api';
import { BatteryView } from '../src/ui/battery';
import { Events } from '../src/ui/events';
import { HeatMapView } from '../src/ui/heatmap';
import { Inverters } from '../src/ui/inverters';
import { LimitsView } from '../src/ui/limits';
import { PackDetail } from '../src/ui/packdetail';
import { Stack } from '../src/ui/stack';
import { pack, rack } from './battery';

const none = (): void => undefined;
const bare = toBattery({ time: '2026-01-01T12:00:00Z' } as Battery);

const why = (more: Partial<Reason>): Reason => ({ limit: 'charge_current', value: 0, rule: 'cell_taper', pack: 7, cell: 12, text: 'Pack 7 cell 12 is full.', ...more });

describe('unknown values', () => {
  it.each([
    ['no battery', null],
    ['a bare battery', bare],
  ])('%s is drawn with dashes', (_name, battery) => {
    const html = renderToString(
      <>
        <BatteryView battery={battery} current={null} onPack={none} />
        <LimitsView battery={battery} onPack={none} />
        <HeatMapView battery={battery} onPack={none} />
      </>,
    );
    expect(html).toContain('–');
    expect(html).not.toMatch(/NaN|undefined|null/);
  });

  it('a bare pack is drawn with dashes', () => {
    const html = renderToString(
      <>
        <Stack packs={[pack(1)]} onPack={none} />
        <PackDetail pack={pack(1)} onClose={none} />
      </>,
    );
    expect(html).toContain('–');
    expect(html).not.toMatch(/NaN|undefined|null/);
  });

  it('says so when there is nothing at all', () => {
    expect(renderToString(<Stack packs={[]} onPack={none} />)).toContain('No pack has answered');
    expect(renderToString(<Inverters inverters={[]} />)).toContain('No inverter is configured');
    expect(renderToString(<Events events={[]} nowMs={0} onOlder={async () => 0} />)).toContain('Nothing has happened');
  });
});

describe('limits', () => {
  it('says at the top why there is no charging', () => {
    const html = renderToString(<LimitsView battery={rack({ charge_allowed: false, charge_current_limit_a: 0, reasons: [why({})] })} onPack={none} />);
    expect(html).toContain('<strong>No charging.</strong> Pack 7 cell 12 is full.');
    expect(html).toContain('Pack 7, cell 12');
    expect(html).not.toContain('No discharging');
  });

  it('puts the other reasons behind the first', () => {
    const reasons = [why({ text: 'first' }), why({ text: 'second', value: 9 }), why({ limit: 'discharge_current', text: 'other' })];
    const html = renderToString(<LimitsView battery={rack({ charge_current_limit_a: 5, discharge_current_limit_a: 5, reasons })} onPack={none} />);
    expect(html.indexOf('first')).toBeLessThan(html.indexOf('second'));
    expect(html).toContain('Next in line');
    expect(html).not.toContain('<strong>No');
  });
});

describe('battery', () => {
  it('rounds the state of charge down and names the packs behind a warning', () => {
    const packs = [pack(3, { warnings: ['pack_lost'], state: 'lost' }), pack(5, { warnings: ['pack_lost'] })];
    const html = renderToString(<BatteryView battery={rack({ soc_pct: 99.99, warnings: ['pack_lost'], packs })} current={null} onPack={none} />);
    expect(html).toContain('99.9');
    expect(html).toContain('Pack lost: pack 3, 5');
  });
});

describe('inverters', () => {
  it('shouts about an expired lease and an inverter that fell silent', () => {
    const inverter = { inverter: 1, protocol: 'can/x', title: null, port: 'can0', link: 'up', detail: null, heard_s: 42, present: false, lease: 'expired' };
    const html = renderToString(<Inverters inverters={[inverter as never]} />);
    expect(html).toContain('Lease expired');
    expect(html).toContain('silent, last heard 42 s ago');
    expect(html).not.toMatch(/NaN|undefined|null/);
  });
});

describe('events', () => {
  it('without a time have a dash for it', () => {
    const events = [{ id: null, time: null, kind: 'x', severity: 'info' as const, pack: 3, text: 'something' }];
    const html = renderToString(<Events events={events} nowMs={0} onOlder={async () => 0} />);
    expect(html).toContain('Pack 3');
    expect(html).not.toMatch(/NaN|undefined|null/);
  });
});

describe('text from outside', () => {
  it('is never markup', () => {
    const events = [{ id: 1, time: '2026-01-01T00:00:00Z', kind: 'x', severity: 'alarm' as const, pack: null, text: '<img src=x>' }];
    expect(renderToString(<Events events={events} nowMs={Date.parse('2026-01-01T00:01:00Z')} onOlder={async () => 0} />)).toContain('&lt;img src=x>');
  });
});
