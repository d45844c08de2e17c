// SPDX-License-Identifier: Apache-2.0
// What the browser test asserts, one function per promise of the page. Each takes the page and the options and throws
// with a sentence when the promise is broken. They look at what an owner sees, not at how it is made.

import assert from 'node:assert/strict';

const NUMBER = /^[+−]?[\d\u202f]+(\.\d+)?/;

const text = (page, selector) => page.locator(selector).first().innerText();

/** Polls until `probe` answers something true, or fails with `what`. */
async function until(what, seconds, probe) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const found = await probe();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} (waited ${seconds} s)`);
}

const api = (page, path) => page.evaluate(async (p) => (await fetch(p)).json(), path);

async function isLive(page, options) {
  await until('the page never becomes live', options.wait, async () => (await text(page, '[data-testid=link]')) === 'Live');
}

async function showsTheSoc(page) {
  const shown = parseFloat(await text(page, '[data-testid=soc]'));
  const battery = await api(page, '/api/v1/battery');
  assert.ok(Math.abs(shown - battery.soc_pct) < 0.5, `SOC shows ${shown}, the gateway says ${battery.soc_pct}`);
}

async function readingsChange(page, options) {
  const read = async () => [await text(page, '[data-testid=power]'), await text(page, '.headline-power .headline-note')].join();
  const before = await read();
  assert.match(before, NUMBER, `power is no number: ${before}`);
  await until(`the readings never change from ${before}`, options.wait, async () => (await read()) !== before);
}

async function socChanges(page, options) {
  if (options.socChange === 0) return 'not asked for (--soc-change S)';
  const before = await text(page, '[data-testid=soc]');
  await until(`SOC never changes from ${before}`, options.socChange, async () => (await text(page, '[data-testid=soc]')) !== before);
  return undefined;
}

async function hasARowPerPack(page, options) {
  const rows = page.locator('[data-testid=stack] tbody tr');
  await until(`there are never ${options.packs} rows`, options.wait, async () => (await rows.count()) === options.packs);
  const active = page.locator('tr[data-state=active]');
  assert.ok((await active.count()) > 0, 'no pack is active');
  assert.match(await active.first().innerText(), /\d+\.\d\s%[\s\S]*\d+\.\d\d\sV/, 'an active row lacks SOC or voltage');
}

async function explainsTheLimits(page) {
  for (const name of ['charge_current', 'discharge_current', 'charge_voltage', 'discharge_voltage']) {
    const value = await text(page, `[data-testid=limit-${name}] .limit-value`);
    assert.match(value, NUMBER, `${name} has no value`);
  }
  for (const name of ['charge_current', 'discharge_current']) {
    const why = await text(page, `[data-testid=limit-${name}] .why-text`);
    assert.ok(why.length > 10, `${name} is not explained: "${why}"`);
  }
}

async function tellsWhatWouldLimitNext(page, options) {
  const asked = await api(page, '/api/v1/battery');
  const reason = asked.reasons.find((one) => one.runner_up);
  if (reason === undefined) return 'nothing else limits now';
  const shown = () => page.locator(`[data-testid=limit-${reason.limit}] [data-testid=runner-up] .why-text`).first();
  await until(`the runner-up of ${reason.limit} is not shown`, options.wait, async () => (await shown().count()) > 0 && /^Otherwise /.test(await shown().innerText()));
  return undefined;
}

/** A click into the chart asks for the reasons of that time. */
async function tellsWhyInTheHistory(page, options) {
  const plot = page.locator('[data-testid=chart] .u-over').first();
  const box = await plot.boundingBox();
  const asked = page.waitForRequest((request) => request.url().includes('/api/v1/reasons?at='));
  await plot.click({ position: { x: box.width - 3, y: box.height / 2 } });
  const at = Number(new URL((await asked).url()).searchParams.get('at'));
  const now = Date.parse((await api(page, '/api/v1/battery')).time) / 1000;
  assert.ok(Math.abs(now - at) < 600, `the right end of the chart asks for ${now - at} s ago`);
  const moment = page.locator('[data-testid=moment]');
  await until('the reasons never come', options.wait, async () => (await moment.locator('.then').count()) === 4);
  const answer = await api(page, `/api/v1/reasons?at=${at}`);
  const first = answer.reasons.find((one) => one.limit === 'charge_current');
  assert.ok((await moment.innerText()).includes(first.text), `"${first.text}" is not in the answer`);
  await moment.getByRole('button', { name: 'Close' }).click();
  await moment.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Why these limits?' }).click();
  await moment.waitFor({ state: 'visible' });
  await moment.getByRole('button', { name: 'Close' }).click();
}

const plainly = (text) => text.replaceAll('\u00a0', ' ');

/** Each setting is shown where it acts, with its value, and in the list of all with its default. */
async function showsEverySetting(page, options) {
  const settings = (await api(page, '/api/v1/config')).battery;
  assert.ok(settings.length > 5, 'the gateway tells no settings');
  await page.locator('tr[data-state=active]').first().locator('button').click();
  await page.locator('[data-testid=detail]').waitFor({ state: 'visible' });
  const keysIn = (selector) => page.evaluate((s) => [...document.querySelectorAll(s)].map((one) => one.dataset.key), selector);
  await until('the settings are never shown', options.wait, async () => (await keysIn('[data-testid=settings] [data-key]')).length === settings.length);
  const placed = await keysIn('[data-place] [data-key]');
  assert.deepEqual(settings.map((one) => one.key).filter((key) => !placed.includes(key)), [], 'settings that are not shown where they act');
  await page.keyboard.press('Escape');
  for (const key of ['quorum_pct', 'join_voltage_v', 'rise_hold_s']) {
    const one = settings.find((setting) => setting.key === key);
    const here = page.locator(`[data-place]:has([data-key=${key}])`).first();
    await here.locator('summary').click();
    assert.ok(plainly(await here.innerText()).includes(`${one.value} ${one.unit}`), `${key} is not shown with its value where it acts`);
    await here.locator('summary').click();
    const row = page.locator(`[data-testid=settings] [data-key=${key}]`);
    const group = page.locator(`.settings-group:has([data-key=${key}])`);
    if (!(await row.isVisible())) await group.locator('summary').click();
    assert.ok(plainly(await row.innerText()).includes(`default ${one.default} ${one.unit}`), `${key} is not listed with its default`);
    assert.ok((await row.innerText()).includes(one.meaning), `${key} is not listed with its meaning`);
  }
}

async function mapsEveryCell(page, options) {
  const cells = page.locator('[data-testid=heat] .heat-cell');
  await until(`the map never has ${options.packs * options.cells} cells`, options.wait, async () => (await cells.count()) === options.packs * options.cells);
  for (const mark of ['min', 'max']) {
    const marked = page.locator(`[data-testid=heat] [data-mark=${mark}]`);
    assert.equal(await marked.count(), 1, `the ${mark} cell is not marked once`);
    assert.match(await marked.innerText(), new RegExp(mark), `the ${mark} mark is colour only`);
  }
}

async function tellsACellsValue(page) {
  const marked = page.locator('[data-testid=heat] [data-mark=max]');
  await marked.hover();
  const read = await text(page, '[data-testid=heat-read]');
  assert.match(read, /^Pack \d+, cell \d+: \d\.\d{3}\sV/, `the hovered cell is not spelled out: "${read}"`);
  await page.locator('[data-testid=heat] [tabindex="0"]').focus();
  const before = await text(page, '[data-testid=heat-read]');
  await page.keyboard.press('ArrowDown');
  if ((await text(page, '[data-testid=heat-read]')) === before) await page.keyboard.press('ArrowUp'); // it was the last row
  assert.notEqual(await text(page, '[data-testid=heat-read]'), before, 'arrow keys do not move in the map');
}

async function opensDetails(page, options) {
  const row = page.locator('tr[data-state=active]').first();
  const number = await row.getAttribute('data-pack');
  await row.locator('button').click();
  const dialog = page.locator('[data-testid=detail]');
  await dialog.waitFor({ state: 'visible' });
  assert.match(await dialog.innerText(), new RegExp(`Pack ${number}`));
  assert.equal(await dialog.locator('[data-testid=detail-cells] li').count(), options.cells, 'not every cell is listed');
  assert.match(await dialog.innerText(), /Serial number/);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
}

/** Share of a canvas that is not transparent: a chart without data draws only its grid. */
const inkOf = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('[data-testid=chart] canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let drawn = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn += 1;
      return drawn / (data.length / 4);
    }),
  );

async function drawsTheHistory(page, options) {
  await until('the three plots are never drawn', options.wait, async () => {
    const ink = await inkOf(page);
    return ink.length === 3 && ink.every((share) => share > 0.005);
  });
  const asked = page.waitForRequest((request) => request.url().includes('/api/v1/history'));
  await page.getByRole('button', { name: '1 h', exact: true }).click();
  const query = new URL((await asked).url()).searchParams;
  assert.equal(Number(query.get('to')) - Number(query.get('from')), 3600, 'the 1 h button asks for another span');
  await page.getByRole('button', { name: '6 h', exact: true }).click();
}

async function showsTheInverters(page, options) {
  const cards = page.locator('[data-testid=inverter]');
  await until(`fewer than ${options.inverters} inverters`, options.wait, async () => (await cards.count()) >= options.inverters);
  if (options.inverters > 0) assert.match(await cards.first().innerText(), /Frames sent \d/);
}

async function listsEvents(page, options) {
  const events = page.locator('[data-testid=events] li');
  await until('there is no event', options.wait, async () => (await events.count()) > 0);
  assert.match(await events.first().innerText(), /(Info|Warning|Alarm)[\s\S]*(ago|just now)/);
}

async function namesEveryControl(page) {
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll('button, input, a')]
      .filter((one) => !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length))
      .map((one) => one.outerHTML.slice(0, 80)),
  );
  assert.deepEqual(nameless, [], 'controls without a name');
}

async function fitsThePage(page) {
  const { scroll, inner, wide } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    inner: document.documentElement.clientWidth,
    wide: [...document.querySelectorAll('body *')]
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.stack-scroll'))
      .map((one) => one.className || one.tagName)
      .slice(0, 5),
  }));
  assert.ok(scroll <= inner, `the page is ${scroll} px wide on ${inner} px: ${wide}`);
  assert.deepEqual(wide, [], 'elements reach over the right edge');
}

async function fitsEveryWidth(page) {
  const size = page.viewportSize();
  for (const width of [320, 390, 768, 1024]) {
    await page.setViewportSize({ ...size, width });
    await page.waitForTimeout(300);
    await fitsThePage(page);
  }
  await page.setViewportSize(size);
}

async function saysWhenItIsStale(page, options) {
  options.wire.cut();
  await until('a cut connection is not shown', 20, async () => (await text(page, '[data-testid=link]')).startsWith('Stale since'));
  options.wire.mend();
  await isLive(page, { wait: Math.max(options.wait, 30) });
}

async function unplugsAPack(page, options) {
  if (options.demoPassword === undefined) return 'not asked for (--demo-password P)';
  const number = await page.locator('tr[data-state=active]').last().getAttribute('data-pack');
  const plug = page.locator(`[data-plug="${number}"]`);
  const state = () => page.locator(`tr[data-pack="${number}"]`).getAttribute('data-state');
  await plug.click();
  await page.locator('.login input').fill('not the password');
  await page.keyboard.press('Enter');
  await until('a wrong password is not refused', options.wait, async () => (await text(page, '.login .problem')) !== '');
  await page.locator('.login input').fill(options.demoPassword);
  await page.keyboard.press('Enter');
  await page.locator('.login').waitFor({ state: 'detached' });
  await plug.click();
  await until(`pack ${number} never goes held or lost`, options.unplug, async () => ['held', 'lost'].includes(await state()));
  assert.equal(await plug.getAttribute('aria-pressed'), 'false', 'the plug does not show that the pack is out');
  await plug.click();
  await until(`pack ${number} never comes back`, options.unplug, async () => (await state()) === 'active');
  return undefined;
}

/** In this order; `mutes` marks a check that breaks requests on purpose. */
export const DESKTOP = [
  { name: 'is live', run: isLive },
  { name: 'shows the SOC the gateway gives', run: showsTheSoc },
  { name: 'readings change by themselves', run: readingsChange },
  { name: 'SOC changes by itself', run: socChanges },
  { name: 'has a row per pack', run: hasARowPerPack },
  { name: 'explains the limits', run: explainsTheLimits },
  { name: 'tells what would limit next', run: tellsWhatWouldLimitNext },
  { name: 'maps every cell', run: mapsEveryCell },
  { name: "tells a cell's value by mouse and by keys", run: tellsACellsValue },
  { name: 'opens the details of a pack', run: opensDetails },
  { name: 'draws the history', run: drawsTheHistory },
  { name: 'tells why in the history', run: tellsWhyInTheHistory },
  { name: 'shows every setting', run: showsEverySetting },
  { name: 'shows the inverters', run: showsTheInverters },
  { name: 'lists events', run: listsEvents },
  { name: 'names every control', run: namesEveryControl },
  { name: 'fits a desktop', run: fitsThePage },
  { name: 'unplugs and plugs in a pack', run: unplugsAPack, mutes: true },
];

/** Over a wire that the test can cut. */
export const CUT = [
  { name: 'is live', run: isLive },
  { name: 'says when it is stale, and comes back', run: saysWhenItIsStale, mutes: true },
];

export const PHONE = [
  { name: 'is live', run: isLive },
  { name: 'has a row per pack', run: hasARowPerPack },
  { name: 'maps every cell', run: mapsEveryCell },
  { name: 'opens the details of a pack', run: opensDetails },
  { name: 'fits a phone', run: fitsThePage },
  { name: 'fits every width from 320 px', run: fitsEveryWidth },
];
