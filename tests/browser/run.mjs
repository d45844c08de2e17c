// SPDX-License-Identifier: Apache-2.0
// Opens the dashboard in Chromium and checks what an owner would see, on a desktop and on a phone.
//   node run.mjs [URL] [options]      without URL: starts the mock gateway of web/mock on a free port
// Works against the mock and against a real gateway. Prints one line per check, exits 1 if any failed.

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CUT, DESKTOP, PHONE } from './checks.mjs';
import { layWire } from './wire.mjs';

// The one lockfile is in web/, so its node_modules is where the browser driver is.
const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const HELP = `node run.mjs [URL] [options]
  --packs N            rows expected (16)          --cells N       cells per pack (16)
  --inverters N        cards at least (1)          --wait S        patience for each check (15)
  --soc-change S       SOC must change within S seconds (0: not checked)
  --demo-password P    also unplug and plug in a pack through the demo panel
  --unplug S           patience for that (60)      --no-csp        do not ask for the CSP header
  --shot FILE          save a picture (desktop; with --dark or --phone for those)
  --shots DIR          save all four pictures      --chromium FILE the browser (/usr/bin/chromium)
  --only-shots         no checks`;

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

function readOptions() {
  const string = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      packs: string, cells: string, inverters: string, wait: string, 'soc-change': string, 'demo-password': string,
      unplug: string, shot: string, shots: string, chromium: string,
      'no-csp': flag, dark: flag, phone: flag, 'only-shots': flag, help: flag,
    },
  });
  const number = (name, fallback) => Number(values[name] ?? fallback);
  return {
    ...values,
    url: positionals[0],
    packs: number('packs', 16),
    cells: number('cells', 16),
    inverters: number('inverters', 1),
    wait: number('wait', 15),
    socChange: number('soc-change', 0),
    unplug: number('unplug', 60),
    demoPassword: values['demo-password'],
  };
}

/** Starts the mock gateway; answers its address and how to end it. */
function startMock() {
  const script = fileURLToPath(new URL('../../web/mock/server.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, '--port', '0', '--speed', '10'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the mock gateway ended with ${code}`)));
    child.stdout.on('data', (data) => {
      const found = /http:\S+/.exec(String(data));
      if (found) resolve({ url: found[0], stop: () => child.kill() });
    });
  });
}

/** A page that remembers every complaint of the browser. */
async function openPage(browser, url, { size, dark = false }) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: dark ? 'dark' : 'light',
    deviceScaleFactor: size === 'phone' ? 2 : 1,
    hasTouch: size === 'phone',
  });
  const page = await context.newPage();
  const complaints = [];
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  const answer = await page.goto(url, { waitUntil: 'load' });
  return { page, complaints, headers: answer.headers() };
}

function report(name, failure, note) {
  const mark = failure ? 'FAIL' : note ? 'skip' : 'ok  ';
  console.log(`${mark} ${name}${failure ? `: ${failure.message}` : note ? `: ${note}` : ''}`);
  return failure ? 1 : 0;
}

async function runCheck(group, check, opened, options) {
  opened.complaints.length = 0;
  let failure;
  let note;
  try {
    note = await check.run(opened.page, options);
    if (!check.mutes && opened.complaints.length > 0) throw new Error(`the browser complains: ${opened.complaints.join(' | ')}`);
  } catch (error) {
    failure = error;
  }
  return report(`${group}: ${check.name}`, failure, note);
}

async function runGroup(browser, options, group, checks) {
  const opened = await openPage(browser, options.wire?.url ?? options.url, { size: group === 'phone' ? 'phone' : 'desktop' });
  let failed = 0;
  if (group === 'desktop' && !options['no-csp']) {
    const policy = opened.headers['content-security-policy'] ?? 'none';
    failed += report('desktop: sends a content security policy', policy.includes("default-src 'self'") ? undefined : new Error(policy));
  }
  failed += report(`${group}: loads without complaint`, opened.complaints.length > 0 ? new Error(opened.complaints.join(' | ')) : undefined);
  for (const check of checks) failed += await runCheck(group, check, opened, options);
  await opened.page.context().close();
  return failed;
}

/** The groups of checks, each on a fresh page. */
async function runAll(browser, options) {
  const wire = await layWire(options.url);
  let failed = await runGroup(browser, options, 'desktop', DESKTOP);
  failed += await runGroup(browser, options, 'phone', PHONE);
  failed += await runGroup(browser, { ...options, wire }, 'cut', CUT);
  wire.close();
  return failed;
}

async function savePicture(browser, url, file, size, dark) {
  const { page } = await openPage(browser, url, { size, dark });
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('[data-testid=chart] canvas').first().waitFor();
  await page.waitForTimeout(2500);
  await page.screenshot({ path: file, fullPage: true });
  await page.context().close();
}

async function savePictures(browser, options) {
  if (options.shot) await savePicture(browser, options.url, options.shot, options.phone ? 'phone' : 'desktop', options.dark);
  if (!options.shots) return;
  mkdirSync(options.shots, { recursive: true });
  for (const size of ['desktop', 'phone'])
    for (const dark of [false, true]) await savePicture(browser, options.url, join(options.shots, `${size}-${dark ? 'dark' : 'light'}.png`), size, dark);
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  let mock;
  if (options.url === undefined) {
    mock = await startMock();
    Object.assign(options, { url: mock.url, demoPassword: 'demo', socChange: 30 });
  }
  const browser = await chromium.launch({ executablePath: options.chromium ?? '/usr/bin/chromium', args: FLAGS });
  try {
    await savePictures(browser, options);
    if (options['only-shots']) return undefined;
    const failed = await runAll(browser, options);
    console.log(failed === 0 ? 'browser: all checks passed' : `browser: ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    await browser.close();
    mock?.stop();
  }
  return undefined;
}

await main();
