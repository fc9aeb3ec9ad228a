// The tours of docs/TOURS.md: what a buyer, an investor and a data engineer do on the pages of `stoop demo`. The headings of
// that page are the names here, and its pictures are made here.

import { join } from 'node:path';

import { until } from './browser.mjs';
import { arrived, left, links, present } from './expect.mjs';

const AREA = 'austin, tx';
const OTHER = 'chicago, il';
const PRICE_MAX = 600_000;
const BEDS_MIN = 3;
const SEARCH = 'texas';
const DAYS_BACK = 28;

/** Each step gets the page as the step before has left it. Its picture has a name in docs/pages, a theme, and what is in view. */
export const TOURS = [
  {
    who: 'A buyer',
    steps: [
      { name: 'See what was just cut', run: overview, picture: { file: 'overview' } },
      { name: 'Find your area', run: findArea },
      { name: 'Narrow the homes down', run: filterHomes, picture: { file: 'map', of: '#homes' } },
      { name: 'Read the history of a home', run: openHome, picture: { file: 'home' } },
      { name: 'List the deep drops nearby', run: alertsNearby },
      { name: 'See why one was raised', run: explain },
    ],
  },
  {
    who: 'An investor',
    steps: [
      { name: 'Ask what homes yield', run: yields, picture: { file: 'area' } },
      { name: 'Compare two cities', run: compare, picture: { file: 'compare', theme: 'dark' } },
      { name: 'Take the days along', run: download },
      { name: 'Go back in time', run: asOf },
    ],
  },
  {
    who: 'A data engineer',
    steps: [
      { name: 'Stop a search, and poll it now', run: control, picture: { file: 'runs' } },
      { name: 'Ask whether the figures can be trusted', run: quality },
      { name: 'Look up what a figure means', run: define },
      { name: 'Ask the API the same question', run: api },
    ],
  },
];

/** Takes the steps of a tour. With the option `pictures`, a folder, it leaves their pictures there. */
export async function tour(at, steps) {
  for (const { name, run, picture } of steps) {
    try {
      await run(at);
      await at.watch.quiet();
    } catch (error) {
      throw new Error(`${name}: ${error.message}`);
    }
    if (picture && at.options.pictures) await photograph(at, picture);
  }
}

async function photograph({ page, options }, { file, theme = 'light', of }) {
  await page.emulateMedia({ colorScheme: theme });
  if (of) await page.locator(of).evaluate((element) => element.scrollIntoView());
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(options.pictures, `${file}.png`) });
  await page.emulateMedia({ colorScheme: 'light' });
}

async function overview({ page, base }) {
  await page.goto(`${base}/`);
  for (const [answer, pattern] of [
    ['cooling', /−\d+\.\d %|No market clearly is/],
    ['cut', /−\d+\.\d %.*\$[\d,]+ → \$[\d,]+/s],
    ['unusual', /usual/i],
  ]) {
    const text = await page.locator(`[data-answer=${answer}]`).innerText();
    if (!pattern.test(text)) throw new Error(`the answer on ${answer} is "${text}"`);
  }
}

async function findArea(at) {
  await openArea(at, AREA, 'Austin');
}

async function openArea({ page, options }, area, heading) {
  await page.getByRole('searchbox').fill(area);
  await page.getByRole('searchbox').press('Enter');
  await left(page, '/', options);
  await arrived(page, '/areas/', heading, options);
}

async function filterHomes({ page, options }) {
  await page.getByLabel('At most').fill(String(PRICE_MAX));
  await page.getByLabel('Beds, at least').fill(String(BEDS_MIN));
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForURL((url) => url.searchParams.get('beds') === String(BEDS_MIN));
  await present(page.locator('[data-map] svg a[href^="/homes/"]'), 'a home on the map', options);
  const rows = await table(page.getByRole('region', { name: 'Homes on offer' }));
  const wrong = rows.filter(({ Price, Beds }) => amount(Price) > PRICE_MAX || amount(Beds) < BEDS_MIN);
  if (rows.length === 0 || wrong.length > 0) {
    throw new Error(`of ${rows.length} homes these are too dear or too small: ${JSON.stringify(wrong)}`);
  }
}

async function openHome({ page, options }) {
  const link = page.getByRole('region', { name: 'Homes on offer' }).getByRole('link').first();
  const address = await link.innerText();
  await link.click();
  await arrived(page, '/homes/', address, options);
  const events = await table(page.getByRole('region', { name: 'What happened' }));
  if (events.length === 0) throw new Error('nothing has happened to the home');
}

async function alertsNearby({ page, options }) {
  await page.getByRole('link', { name: 'Alerts', exact: true }).click();
  await arrived(page, '/alerts', 'alerts', options);
  await page.getByLabel('Area', { exact: true }).fill(AREA);
  await page.getByLabel('At least').fill('20');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForURL((url) => url.searchParams.get('drop') === '20');
  const rows = await table(page.getByRole('region', { name: 'Alerts' }));
  const wrong = rows.filter(({ Drop, Area }) => amount(Drop) > -20 || !/^787\d\d$/.test(Area));
  if (rows.length === 0 || wrong.length > 0) {
    throw new Error(`of ${rows.length} alerts these are small or elsewhere: ${JSON.stringify(wrong)}`);
  }
}

async function explain({ page, options }) {
  const [first] = await table(page.getByRole('region', { name: 'Alerts' }));
  await page.getByRole('region', { name: 'Alerts' }).getByRole('link').first().click();
  await arrived(page, '/alerts/', first.Home, options);
  const prices = await table(page.getByRole('region', { name: 'From the reference to the alert' }));
  const [from, to] = [prices.at(0)?.Price, prices.at(-1)?.Price];
  if (from !== first.From || to !== first.To) {
    throw new Error(`the alert goes from ${first.From} to ${first.To}, its prices from ${from} to ${to}`);
  }
}

async function yields(at) {
  const { page, base } = at;
  await page.goto(`${base}/`);
  await openArea(at, 'us', 'US');
  const tile = page.locator('.tile').filter({ hasText: 'Gross yield' });
  if (!/\d+\.\d %/.test(await tile.innerText())) throw new Error(`the yield is "${await tile.innerText()}"`);
  const kinds = await table(page.getByRole('region', { name: 'Gross yield' }));
  const far = kinds.filter((kind) => Math.abs(amount(kind.Yield) * amount(kind['Years of rent']) - 100) > 3);
  if (kinds.length < 2 || far.length > 0) {
    throw new Error(`a yield is one by the years of rent: ${JSON.stringify(kinds)}`);
  }
}

async function compare(at) {
  const { page, options } = at;
  await openArea(at, AREA, 'Austin');
  await page.getByRole('main').getByRole('link', { name: 'Compare' }).click();
  await arrived(page, '/compare', 'Compare', options);
  await page.getByLabel('Area 2').fill(OTHER);
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.waitForURL((url) => url.searchParams.getAll('area').includes(OTHER));
  const rows = await table(page.getByRole('region', { name: 'Figures side by side' }));
  const prices = rows.find(({ Figure }) => Figure === 'Median price');
  if (!(amount(prices?.Austin) > 0 && amount(prices?.Chicago) > 0)) {
    throw new Error(`the median prices are ${JSON.stringify(prices)}`);
  }
}

/** The file has the same days and prices as the table behind the chart. */
async function download(at) {
  const { page } = at;
  await page.getByRole('region', { name: 'Figures side by side' }).getByRole('link', { name: 'Austin' }).click();
  await arrived(page, '/areas/', 'Austin', at.options);
  const chart = page.locator('#prices');
  const shown = await table(chart);
  const file = await chart.getByRole('link', { name: 'Download CSV' }).evaluate(async ({ href }) => (await fetch(href)).text());
  const days = new Map(csv(file).map((row) => [row.day, row]));
  // A day in the middle: on the page the last one goes on, and at its end the first one leaves.
  const { Day, 'Of the day': price } = shown[Math.floor(shown.length / 2)];
  const inFile = Number(days.get(Day)?.median_price);
  // A page rounds to at most 0.2 % of a price.
  if (!(Math.abs(inFile / amount(price) - 1) <= 0.001)) throw new Error(`${Day} is ${price} on the page, ${inFile} in the file`);
}

/** As of an earlier day, page and API have the same homes on offer. */
async function asOf(at) {
  const { page, options } = at;
  const now = Date.parse(await page.getByRole('main').getAttribute('data-now'));
  const [day] = new Date(now - DAYS_BACK * 86_400_000).toISOString().split('T');
  await page.getByLabel('As of').fill(day);
  await page.getByRole('button', { name: 'Go' }).click();
  await page.waitForURL((url) => url.searchParams.get('as_of') === day);
  await arrived(page, '/areas/', 'Austin', options);
  await apiAgrees(at, day);
  await page.getByRole('link', { name: 'Back to now' }).click();
  await page.waitForURL((url) => !url.searchParams.has('as_of'));
}

async function control({ page, base, options }) {
  await page.goto(`${base}/runs`);
  await press(page, 'Pause', options);
  await present(row(page).filter({ hasText: 'paused since' }), `"paused since" at ${SEARCH}`, options);
  await press(page, 'Resume', options);
  const before = await last(page);
  await press(page, 'Poll now', options);
  const polled = async () => (await page.goto(`${base}/runs`), (await last(page)) !== before);
  if (!(await until(polled, options.liveMs, 1_000))) throw new Error(`${SEARCH} was not polled since ${before}`);
}

function row(page) {
  return page.getByRole('region', { name: 'Searches' }).getByRole('row').filter({ hasText: SEARCH });
}

async function press(page, name, options) {
  const button = page.getByRole('button', { name: `${name}: ${SEARCH}` });
  await present(button, `a button "${name}: ${SEARCH}"`, options);
  await Promise.all([page.waitForResponse((answer) => answer.request().method() === 'POST'), button.click()]);
  await page.waitForLoadState();
}

/** When the search was polled last. */
async function last(page) {
  return row(page).locator('time').last().getAttribute('datetime');
}

async function quality({ page, options }) {
  await page.getByRole('link', { name: 'Quality', exact: true }).click();
  await arrived(page, '/quality', 'Quality', options);
  const text = await page.getByRole('main').innerText();
  const missing = ['Do figures follow from observations?', 'Yes, in', 'Quarantine'].filter((part) => !text.includes(part));
  if (missing.length > 0) throw new Error(`the page does not say ${missing.join(', ')}`);
}

async function define({ page, options }) {
  await page.getByRole('region', { name: 'Quality by area' }).getByRole('link', { name: 'Unconfirmed' }).click();
  await arrived(page, '/definitions', 'Definitions', options);
  const name = new URL(page.url()).hash;
  if (!(await page.locator(name).isVisible())) throw new Error(`${name} is not defined`);
}

/** The API's figures of an area, as JSON and in the days of the CSV, are those of the page at the same moment. */
async function api(at) {
  const { page, base, options } = at;
  await page.getByRole('link', { name: 'API', exact: true }).click();
  await arrived(page, '/api', 'API', options);
  await page.goto(`${base}/search?q=${encodeURIComponent(AREA)}`);
  await arrived(page, '/areas/', 'Austin', options);
  await apiAgrees(at);
}

/**
 * The page of Austin has as many homes on offer as the API, as JSON and on the last day of the CSV, as of the moment of the
 * page. What is observed late changes the past, so there are several tries.
 */
async function apiAgrees({ page, options }, asOf) {
  let counts;
  const agree = async () => {
    await page.reload();
    const moment = asOf ?? (await page.getByRole('main').getAttribute('data-now'));
    const tile = page.locator('.tile').filter({ hasText: 'Homes on offer' });
    counts = {
      moment,
      page: amount(await tile.locator('.value').innerText()),
      json: JSON.parse(await fetched(page, moment, 'application/json')).markets[0].active,
      csv: Number(csv(await fetched(page, moment, 'text/csv')).at(-1).active),
    };
    return counts.page === counts.json && counts.page === counts.csv;
  };
  if (!(await until(agree, options.stepMs))) throw new Error(`the homes on offer differ: ${JSON.stringify(counts)}`);
}

async function fetched(page, moment, accept) {
  const path = `/api/v1/markets/austin?purpose=sale&as_of=${encodeURIComponent(moment)}`;
  return page.evaluate(async ([path, accept]) => (await fetch(path, { headers: { accept } })).text(), [path, accept]);
}

/** The rows of a table as objects by the words of its head. */
async function table(around) {
  return around.locator('table').first().evaluate((element) => {
    const texts = (row) => [...row.cells].map((cell) => cell.textContent.trim());
    const [heads, ...rows] = [...element.rows].map(texts);
    return rows.map((cells) => Object.fromEntries(heads.map((head, n) => [head, cells[n]])));
  });
}

/** Rows without quotes, as the days and markets have them. */
function csv(text) {
  const [heads, ...rows] = text.trim().split(/\r?\n/).map((line) => line.split(','));
  return rows.map((cells) => Object.fromEntries(heads.map((head, n) => [head, cells[n]])));
}

/** The number in `$1,234`, `−4.2 %` or `3`. */
function amount(text) {
  return Number((text ?? '').replace('−', '-').match(/-?[\d,.]*\d/)?.[0].replaceAll(',', ''));
}
