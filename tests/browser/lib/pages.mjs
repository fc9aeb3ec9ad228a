// Which pages are checked, and how each is looked at.

import { readFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { axeSource, closePage, newPage, within } from './browser.mjs';
import * as inPage from './in-page.mjs';
import { Watch } from './watch.mjs';

/** Every page is looked at with each. */
export const LOOKS = [390, 768, 1280].flatMap((width) => ['light', 'dark'].map((theme) => ({ width, theme })));
const HEIGHTS = { 390: 844, 768: 1024, 1280: 800 };
/** In the order of the report. */
export const CHECKS = ['answer', 'console', 'responses', 'hosts', 'overflow', 'axe', 'structure', 'theme', 'motion'];

/**
 * Parses a file, or a list with commas: per line (or between commas) a path, then the expected status if it is not 200,
 * or a selector: then the page is what the first such link of that path leads to.
 */
export function parsePages(text) {
  const isFile = statSync(text, { throwIfNoEntry: false })?.isFile() ?? false;
  const lines = isFile ? readFileSync(text, 'utf8').split('\n') : text.split(',');
  const named = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  const pages = named.map((line) => {
    const [path, ...rest] = line.split(' ');
    const more = rest.join(' ').trim();
    if (!path.startsWith('/')) throw new Error(`--pages: ${line}: accepted is /PATH, /PATH STATUS or /PATH SELECTOR`);
    return /^\d{3}$/.test(more) ? { path, status: Number(more) } : { path, status: 200, link: more || undefined };
  });
  if (pages.length === 0) throw new Error(`--pages: ${text} names no page`);
  return pages;
}

/** The path of the page: that of the link if the page is named by one. */
export async function resolve(browser, base, { path, link }) {
  if (!link) return path;
  const page = await newPage(browser);
  try {
    return await within(`the link ${link} of ${path}`, followed(page, base + path, link));
  } finally {
    await closePage(page);
  }
}

async function followed(page, url, link) {
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  const target = page.locator(link).first();
  if ((await target.count()) === 0) throw new Error(`${new URL(url).pathname} has no ${link}`);
  const { pathname, search } = new URL(await target.evaluate((element) => element.href));
  return pathname + search;
}

/** Looks at a page once. Returns findings `{ check, what, where }`. */
export async function lookAt(browser, base, { path, status }, { width, theme }, screenshots) {
  const page = await newPage(browser, { viewport: { width, height: HEIGHTS[width] }, colorScheme: theme });
  const watch = new Watch(page, base, { documentStatus: status });
  const found = [];
  const look = async () => {
    const answer = await page.goto(base + path, { waitUntil: 'load' });
    const type = (await answer.headerValue('content-type')) ?? 'nothing';
    if (answer.status() !== status)
      found.push({ check: 'answer', what: `status ${answer.status()}, not ${status}`, where: path });
    if (!type.startsWith('text/html'))
      found.push({ check: 'answer', what: `type ${type}, not text/html`, where: path });
    await watch.quiet();
    if (screenshots) await screenshot(page, screenshots, path, width, theme);
    await page.evaluate(axeSource());
    found.push(...(await seen(page, base, theme)), ...(await measured(page, width)));
    if (await page.evaluate(inPage.unfold)) found.push(...(await measured(page, width)));
  };
  try {
    await within(`the checks of ${path}`, look());
  } catch (error) {
    const what = error.message.split('\n')[0];
    found.push({ check: 'answer', what, where: path });
    const rest = CHECKS.filter((check) => check !== 'answer');
    found.push(...rest.map((check) => ({ check, what: 'not checked, see `answer`', where: path })));
  }
  found.push(...watch.findings());
  await closePage(page);
  return found;
}

async function seen(page, base, theme) {
  const of = (check, found) => found.map((finding) => ({ check, ...finding }));
  return [
    ...of('hosts', await page.evaluate(inPage.connections, new URL(base).host)),
    ...of('structure', await page.evaluate(inPage.structure)),
    ...of('theme', await page.evaluate(inPage.background, theme)),
    ...of('motion', await page.evaluate(inPage.motion)),
  ];
}

/** What depends on the layout: looked at again when everything is unfolded. */
async function measured(page, width) {
  const of = (check, found) => found.map((finding) => ({ check, ...finding }));
  return [
    ...of('overflow', await page.evaluate(inPage.overflowing, width)),
    ...of('axe', await page.evaluate(inPage.violations)),
  ];
}

/** `/areas/us` at 390 px in the dark is `areas-us.390.dark.png`; `/` is `index`. */
async function screenshot(page, folder, path, width, theme) {
  await mkdir(folder, { recursive: true });
  const name = path.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'index';
  await page.screenshot({ path: join(folder, `${name}.${width}.${theme}.png`), fullPage: true });
}

/**
 * Looks at a page with each of `looks`, `[{ width, theme }]`, two at a time. Returns, for each check, its findings with
 * the looks that have them.
 */
export async function examine(browser, base, page, { looks = LOOKS, screenshots } = {}) {
  const byCheck = new Map(CHECKS.map((check) => [check, new Map()]));
  for (let at = 0; at < looks.length; at += 2) {
    const pair = looks.slice(at, at + 2);
    const found = await Promise.all(pair.map((look) => lookAt(browser, base, page, look, screenshots)));
    pair.forEach((look, index) => merge(byCheck, found[index], look));
  }
  return byCheck;
}

function merge(byCheck, found, { width, theme }) {
  for (const { check, what, where } of found) {
    const key = `${what}\n${where}`;
    const finding = byCheck.get(check).get(key) ?? { what, where, looks: new Set() };
    finding.looks.add(`${width} ${theme}`);
    byCheck.get(check).set(key, finding);
  }
}
