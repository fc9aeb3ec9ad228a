// What people do on the pages. Each journey throws an error that says what is missing.
//
// The pages promise: a search field with "area" in its name, whose Enter leads to the area or to a list of links to
// areas; links to `/homes/` in the main part of an area, and in the svg of a `[data-map]`; one `[data-live]` on `/`, whose
// text changes with every event.

import { spawn } from 'node:child_process';

import { closePage, newPage, until, within } from './browser.mjs';
import { arrived, left, links, present } from './expect.mjs';
import { Keyboard, Mouse } from './hands.mjs';
import { TOURS, tour } from './tours.mjs';
import { Watch } from './watch.mjs';

const SCREEN = { width: 1280, height: 800 };
/** Each step of a journey has a bound of its own, and a tour has many. */
const JOURNEY_MS = 1_800_000;

/**
 * The journeys, in their order: the last one leaves no server. `run` gets `{ page, watch, base, options }`. Options:
 * `answers` (selectors), `area` (as a person writes it), `heading` (a part of the area's), `stepMs`, `liveMs`,
 * `startMs`, and the commands `stop` and `start`.
 */
export const JOURNEYS = [
  ...[true, false].map((script) => ({
    name: named('the answers are in the first view', script),
    script,
    run: firstView,
  })),
  ...[true, false].flatMap((script) => [
    {
      name: named('from a search to a home and back, by mouse', script),
      script,
      run: (at) => find(at, new Mouse(at.page)),
    },
    {
      name: named('from a search to a home and back, by keyboard', script),
      script,
      run: (at) => find(at, new Keyboard(at.page)),
    },
  ]),
  { name: 'a point of the map leads to a home, with the keys', script: true, run: mapByKeys },
  { name: 'a point of the map leads to a home, with nothing but HTML', script: false, run: mapByLinks },
  ...TOURS.map(({ who, steps }) => ({ name: `the tour: ${who}`, script: true, run: (at) => tour(at, steps), needs: ['tours'] })),
  { name: 'a cut appears without reload', script: true, run: live },
  { name: 'the page reconnects to a restarted server', script: true, run: restart, needs: ['stop', 'start'] },
];

function named(name, script) {
  return `${name}, script ${script ? 'on' : 'off'}`;
}

/** Adds a test per journey. A journey also fails by what the page logs, misses or requests elsewhere. */
export async function runJourneys(browser, base, options, report, only = '') {
  for (const { name, script, run, needs = [] } of JOURNEYS.filter((journey) => journey.name.includes(only))) {
    const missing = needs.filter((option) => !options[option]);
    if (missing.length > 0) {
      report.skip(name, `needs ${missing.map((option) => `--${option}`).join(' and ')}`);
      continue;
    }
    const page = await newPage(browser, { viewport: SCREEN, javaScriptEnabled: script });
    const watch = new Watch(page, base);
    const found = [];
    try {
      await within('the end of the journey', run({ page, watch, base, options }), JOURNEY_MS);
      await watch.quiet();
    } catch (error) {
      found.push(`${error.message.split('\n')[0]} (at ${page.url()})`);
    }
    found.push(...watch.findings().map(({ check, what, where }) => `${check}: ${what} at ${where}`));
    await closePage(page);
    report.test(name, found);
  }
}

/** Each answer is one element with words in it, wholly inside of the first view and covered by nothing. */
async function firstView({ page, watch, base, options }) {
  await page.goto(`${base}/`);
  await watch.quiet();
  const wrongs = [];
  for (const selector of options.answers) {
    const count = await page.locator(selector).count();
    const wrong =
      count === 1 ? await page.locator(selector).evaluate(notInView, SCREEN) : `${count} elements, one is expected`;
    if (wrong) wrongs.push(`${selector}: ${wrong}`);
  }
  if (wrongs.length > 0) throw new Error(wrongs.join('; '));
}

/** In the page: why the element is not in view, if so. */
function notInView(element, screen) {
  if (element.innerText.trim() === '') return 'no words';
  const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
  const box = [left, top, right, bottom].map(Math.round).join(' ');
  if (width === 0 || height === 0) return 'not shown';
  if (left < 0 || top < 0 || right > screen.width || bottom > screen.height) return `its box is ${box}`;
  const front = document.elementFromPoint(left + width / 2, top + height / 2);
  const isInFront = front !== null && (element.contains(front) || front.contains(element));
  return isInFront ? undefined : `covered by ${front?.localName ?? 'nothing'} at ${box}`;
}

async function find({ page, base, options }, hands) {
  await page.goto(`${base}/`);
  const searchbox = page.getByRole('searchbox', { name: /area/i });
  const field = searchbox.or(page.getByRole('combobox', { name: /area/i })).first();
  await present(field, 'a search field with "area" in its name', options);
  await hands.submit(field, options.area);
  await left(page, '/', options);
  if (!new URL(page.url()).pathname.startsWith('/areas/')) {
    const found = links(page, '/areas/').filter({ hasText: options.heading }).first();
    await present(found, `a link to an area with "${options.heading}"`, options);
    await hands.open(found);
  }
  await arrived(page, '/areas/', options.heading, options);
  const area = page.url();
  const home = links(page, '/homes/').first();
  await present(home, 'a link to a home', options);
  await hands.open(home);
  await arrived(page, '/homes/', '', options);
  // The browser's own button or key: Chromium without a window has neither.
  await page.goBack();
  await arrived(page, new URL(area).pathname, options.heading, options);
  await present(links(page, '/homes/').first(), 'a link to a home, after going back', options);
}

/** Opens the page of an area. Returns its map. */
async function openMap({ page, base, options }) {
  await page.goto(`${base}/search?q=${encodeURIComponent(options.area)}`);
  await arrived(page, '/areas/', options.heading, options);
  const map = page.locator('[data-map]');
  await present(map.locator('svg a[href^="/homes/"]'), 'a point of the map with a link to a home', options);
  return map;
}

/** Arrow keys walk from home to home and name them, + shows a part of the map, Enter opens the home. */
async function mapByKeys(at) {
  const { page, options } = at;
  const map = await openMap(at);
  const tip = map.locator('.tip');
  const view = () => map.locator('svg[viewBox]').first().getAttribute('viewBox');
  const whole = await view();
  await map.focus();
  await page.keyboard.press('+');
  if (!(await until(async () => (await view()) !== whole, options.stepMs))) throw new Error('+ does not zoom the map');
  for (const key of ['ArrowRight', 'ArrowLeft']) await page.keyboard.press(key);
  const named = async () => (await tip.isVisible()) && (await tip.textContent()).trim() !== '';
  if (!(await until(named, options.stepMs))) throw new Error('the arrow keys name no home of the map');
  await page.keyboard.press('Enter');
  await arrived(page, '/homes/', '', options);
}

async function mapByLinks(at) {
  const { page, options } = at;
  const map = await openMap(at);
  // The last point lies on top of the others.
  await map.locator('svg a[href^="/homes/"]').last().click({ force: true });
  await arrived(page, '/homes/', '', options);
}

/** Opens `/`. Returns how to wait for a new text of `[data-live]`, on the same page without a reload. */
async function openLive({ page, base, options }) {
  await page.goto(`${base}/`);
  const live = page.locator('[data-live]').first();
  await present(live, 'an element [data-live]', options);
  await page.evaluate(() => {
    globalThis.stoopIsSamePage = true;
  });
  const ask = () =>
    page.evaluate(() => [globalThis.stoopIsSamePage, document.querySelector('[data-live]')?.textContent]);
  return async (when) => {
    const [, before] = await ask();
    let isSame;
    let now = before;
    const changes = async () => {
      [isSame, now] = await ask().catch(() => [true, before]);
      return !isSame || now !== before;
    };
    if (!(await until(changes, options.liveMs)))
      throw new Error(`[data-live] did not change in ${options.liveMs} ms ${when}`);
    if (!isSame) throw new Error(`the page was reloaded ${when}`);
  };
}

async function live(at) {
  const changed = await openLive(at);
  await changed('while it was open');
}

async function restart(at) {
  const { page, watch, base, options } = at;
  const changed = await openLive(at);
  await changed('before the restart');
  // What the page logs and requests without a server is no finding.
  watch.pause();
  await within(`\`${options.stop}\``, command(options.stop));
  if (!(await until(async () => !(await answers(base)), options.startMs))) throw new Error('the server did not stop');
  await page.waitForTimeout(500);
  const server = spawn('sh', ['-c', options.start], { detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
  const end = () => kill(server);
  process.once('exit', end);
  try {
    if (!(await until(() => answers(base), options.startMs))) throw new Error('the server did not start again');
    await changed('after the restart');
    watch.resume();
    await changed('once reconnected');
  } finally {
    watch.pause();
    process.removeListener('exit', end);
    end();
  }
}

/** Ends the shell and what it started. */
function kill({ pid }) {
  try {
    process.kill(-pid);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function command(text) {
  return new Promise((done, failed) => {
    const shell = spawn('sh', ['-c', text], { stdio: ['ignore', 'inherit', 'inherit'] });
    shell.on('error', failed);
    shell.on('exit', (code) => (code === 0 ? done() : failed(new Error(`\`${text}\` ended with ${code}`))));
  });
}

async function answers(base) {
  try {
    const answer = await fetch(`${base}/`, { signal: AbortSignal.timeout(30_000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
