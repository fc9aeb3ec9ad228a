// Tests the checks and the journeys on a site of their own: they must find every planted fault, and nothing else.
//
// node self-test.mjs [--only PART-OF-A-NAME]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { PAGES } from './fixtures/faults.mjs';
import { close, launch, within } from './lib/browser.mjs';
import { JOURNEYS, runJourneys } from './lib/journeys.mjs';
import { examine, LOOKS, parsePages } from './lib/pages.mjs';
import { exitWith, Report } from './lib/report.mjs';
import { TOURS } from './lib/tours.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SITE = join(HERE, 'fixtures/site.mjs');
const TOURS_PAGE = join(HERE, '../../docs/TOURS.md');
const LICENCES = ['MIT', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'MPL-2.0'];
/** Enough for a fault that shows in every look. */
const TWO_LOOKS = [
  { width: 390, theme: 'light' },
  { width: 1280, theme: 'dark' },
];

/**
 * Journeys to the market: its planted fault, those that are made (`only`) and those of them that must fail (`fails`), by
 * parts of their names, and what they must say (`why`). Times are long where nothing but a slow machine uses them up.
 */
const JOURNEY_TESTS = [
  { only: '', restarts: true },
  { only: 'from a search', options: { area: 'springfield', heading: 'Springfield, Illinois' } },
  {
    only: 'by mouse, script on',
    fails: 'by mouse',
    why: 'there is not a link to an area with "Springfield, Texas"',
    options: { area: 'springfield', heading: 'Springfield, Texas', stepMs: 10_000 },
  },
  { fault: 'answers-below', only: 'first view', fails: 'first view', why: 'its box is' },
  { fault: 'answers-covered', only: 'first view', fails: 'first view', why: 'covered by header' },
  { fault: 'no-focus', only: 'script off', fails: 'by keyboard', why: 'the focus on a "Overview" is not to be seen' },
  { fault: 'not-by-keyboard', only: 'script on', fails: 'by keyboard', why: 'is not reached by Tab' },
  {
    fault: 'needs-script',
    only: 'by mouse',
    fails: 'script off',
    why: 'Enter leads nowhere',
    options: { stepMs: 10_000 },
  },
  {
    fault: 'map-without-links',
    only: 'of the map',
    fails: 'of the map',
    why: 'there is not a point of the map',
    options: { stepMs: 10_000 },
  },
  { fault: 'map-without-keys', only: 'with the keys', fails: 'keys', why: 'name no home', options: { stepMs: 10_000 } },
  { fault: 'home-elsewhere', only: 'by mouse', fails: 'by mouse', why: 'hosts: stylesheet of fonts.example' },
  ...[
    ['A buyer', 'See what was just cut: the answer on cooling is'],
    ['An investor', 'Ask what homes yield: a page under /areas/ with "US"'],
    ['A data engineer', 'Stop a search, and poll it now: there is not a button'],
  ].map(([who, why]) => {
    const name = `the tour: ${who}`;
    return { only: name, fails: name, why, options: { tours: true, stepMs: 10_000 } };
  }),
  { fault: 'still', only: 'reload', fails: 'reload', why: 'did not change', options: { liveMs: 2_000 } },
  { fault: 'reloads', only: 'reload', fails: 'reload', why: 'the page was reloaded' },
  {
    fault: 'does-not-reconnect',
    only: 'restarted',
    fails: 'restarted',
    why: 'ms after the restart',
    options: { liveMs: 10_000 },
    restarts: true,
  },
];

async function main() {
  const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
  const report = new Report();
  const test = async (name, run) => {
    if (name.includes(values.only)) report.test(name, await run());
  };
  await test('packages are pinned, with licences that we accept', packages);
  await test('pages.txt is read', pagesOfStoop);
  await test('docs/TOURS.md shows the tours', toursOfDocs);
  await test('what never comes is given up', givenUp);
  const site = await start([]);
  let browser;
  try {
    browser = await launch(site.base);
    for (const page of PAGES) await test(`page ${page.name}`, () => wrongs(browser, site.base, page));
    await test('run.mjs reports what it finds', () => reports(site.base));
    for (const made of JOURNEY_TESTS) {
      const name = [made.fault, made.options?.heading, made.only].filter(Boolean).join(', ') || 'without a fault';
      await test(`journeys: ${name}`, () => journeyed(browser, made));
    }
  } finally {
    if (browser) await close(browser);
    site.process.kill();
  }
  return report.end();
}

/** Starts the site. Returns its process, its address, and the command that starts it there again. */
async function start(more) {
  const server = spawn(process.execPath, [SITE, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'exit').then(() => {
    throw new Error('the site did not start');
  });
  const line = once(createInterface(server.stdout), 'line');
  const [address] = await within('the address of the site', Promise.race([line, ended]));
  ended.catch(() => {});
  const { origin, port } = new URL(address);
  return {
    process: server,
    base: origin,
    again: `exec '${process.execPath}' '${SITE}' ${more.join(' ')} --port ${port}`,
  };
}

async function packages() {
  const wrongs = [];
  const read = async (name) => JSON.parse(await readFile(join(HERE, name), 'utf8'));
  const [{ dependencies }, { packages: locked }] = [await read('package.json'), await read('package-lock.json')];
  for (const [name, version] of Object.entries(dependencies)) {
    if (!/^\d+\.\d+\.\d+$/.test(version)) wrongs.push(`${name} is ${version}: accepted is one version`);
  }
  for (const [name, { integrity, license, resolved }] of Object.entries(locked).filter(([name]) => name !== '')) {
    if (!integrity?.startsWith('sha512-')) wrongs.push(`${name} has no hash`);
    if (!LICENCES.includes(license)) wrongs.push(`${name} has the licence ${license}`);
    if (resolved) wrongs.push(`${name} names a registry: .npmrc leaves it out`);
  }
  return wrongs;
}

function pagesOfStoop() {
  const pages = parsePages(join(HERE, 'pages.txt'));
  const has = (expected) => pages.some((page) => Object.entries(expected).every(([key, value]) => page[key] === value));
  const link = 'main td a[href^="/homes/"]';
  const expected = [{ path: '/', status: 200, link: undefined }, { link }, { status: 404 }];
  return expected.filter((page) => !has(page)).map((page) => `it has no page ${JSON.stringify(page)}`);
}

/** A wait ends with its promise, or at its bound, with what it waited for. */
async function givenUp() {
  const never = new Promise(() => {});
  const said = await within('an answer', never, 50).catch((error) => error.message);
  const came = await within('an answer', Promise.resolve('it'), 50);
  const wrongs = [];
  if (said !== 'waited 0.05 s in vain for an answer') wrongs.push(`it said ${said}`);
  if (came !== 'it') wrongs.push(`${came} came`);
  return wrongs;
}

/** The page has the headings and the pictures of the tours, in their order. */
async function toursOfDocs() {
  const shown = [];
  for (const [, level, heading, picture] of (await readFile(TOURS_PAGE, 'utf8')).matchAll(
    /^(##+) (.+)$|^!\[.*\]\(pages\/(.+)\.png\)$/gm,
  )) {
    shown.push(picture ? `picture ${picture}` : `${level} ${heading}`);
  }
  const taken = TOURS.flatMap(({ who, steps }) => [
    `## ${who}`,
    ...steps.flatMap(({ name, picture }) => [`### ${name}`, ...(picture ? [`picture ${picture.file}`] : [])]),
  ]);
  const at = [...taken, 'the end'].findIndex((line, n) => line !== (shown[n] ?? 'the end'));
  return at < 0 ? [] : [`the page has "${shown[at] ?? 'the end'}" where the tours have "${taken[at] ?? 'the end'}"`];
}

/** What is found on a page and not planted, and what is planted and not found. */
async function wrongs(browser, base, { name, finds }) {
  const looks = name === 'clean' || finds.some(([, , , where]) => where) ? LOOKS : TWO_LOOKS;
  const checks = await examine(browser, base, { path: `/${name}`, status: 200 }, { looks });
  const found = [...checks].flatMap(([check, findings]) =>
    [...findings.values()].map((finding) => ({ check, ...finding })),
  );
  const missed = [];
  for (const [check, what, where, part = ''] of finds) {
    const all = looks.map(({ width, theme }) => `${width} ${theme}`).filter((look) => look.includes(part));
    const isIt = (finding) =>
      finding.check === check &&
      finding.what.includes(what) &&
      finding.where.endsWith(where) &&
      `${all}` === `${[...finding.looks]}`;
    const at = found.findIndex(isIt);
    if (at < 0) missed.push(`not found: ${check}: ${what} at ${where} in ${all.join(', ')}`);
    else found.splice(at, 1);
  }
  return [
    ...missed,
    ...found.map((it) => `found: ${it.check}: ${it.what} at ${it.where} in ${[...it.looks].join(', ')}`),
  ];
}

/** Runs the program as CI does. */
async function reports(base) {
  const wrongs = [];
  const folder = await mkdtemp(join(tmpdir(), 'stoop-screenshots-'));
  const expect = async (code, pages, last, lines, more = []) => {
    const run = spawn(process.execPath, [join(HERE, 'run.mjs'), '--base', base, '--pages', pages, ...more]);
    let out = '';
    for (const stream of [run.stdout, run.stderr])
      stream.on('data', (data) => {
        out += data;
      });
    const [ended] = await within('the end of run.mjs', once(run, 'close'));
    const missing = lines.filter((line) => !out.split('\n').includes(line));
    if (ended !== code || out.trimEnd().split('\n').at(-1) !== last || missing.length > 0) {
      wrongs.push(`${pages}: ended with ${ended}, without ${JSON.stringify(missing)}:`, ...out.split('\n'));
    }
  };
  await expect(0, '/clean', '9 passed, 0 failed', ['ok    /clean overflow'], ['--screenshots', folder]);
  const planted = [
    'FAIL  /theme theme',
    '      390 dark, 768 dark, 1280 dark: a light background in the dark theme at body',
  ];
  await expect(1, '/theme,/answer 500', '17 passed, 1 failed', [...planted, 'ok    /answer answer']);
  await expect(1, '/clean #nowhere', '0 passed, 1 failed', ['      /clean has no #nowhere']);
  await expect(2, 'clean', 'run.mjs: --pages: clean: accepted is /PATH, /PATH STATUS or /PATH SELECTOR', []);
  const screenshots = (await readdir(folder)).sort().join(' ');
  const named = LOOKS.map(({ width, theme }) => `clean.${width}.${theme}.png`)
    .sort()
    .join(' ');
  if (screenshots !== named) wrongs.push(`screenshots: ${screenshots}`);
  await rm(folder, { recursive: true });
  return wrongs;
}

/** Makes journeys to a market. Returns the report if another journey fails than should, or for another reason. */
async function journeyed(browser, { fault, only, fails, why, options, restarts }) {
  const site = await start(fault ? ['--fault', fault] : []);
  const lines = [];
  const commands = restarts ? { stop: `kill ${site.process.pid}`, start: site.again } : {};
  const answers = ['cooling', 'cut', 'unusual'].map((answer) => `[data-answer=${answer}]`);
  const given = { answers, area: 'Chicago, IL', heading: 'Chicago', stepMs: 60_000, liveMs: 60_000, startMs: 300_000 };
  try {
    const report = new Report((line) => lines.push(line));
    await runJourneys(browser, site.base, { ...given, ...options, ...commands }, report, only);
  } finally {
    site.process.kill();
  }
  // The market has no pages for the tours: they are made only where they must fail.
  const isMade = ({ name, needs = [] }) => name.includes(only) && (options?.tours || !needs.includes('tours'));
  const names = JOURNEYS.filter(isMade).map(({ name }) => name);
  const isRight = (name) => {
    if (!fails || !name.includes(fails)) return lines.includes(`ok    ${name}`);
    const at = lines.indexOf(`FAIL  ${name}`);
    return at >= 0 && lines[at + 1].includes(why);
  };
  return names.length > 0 && names.every(isRight) ? [] : lines;
}

await exitWith('self-test.mjs', main);
