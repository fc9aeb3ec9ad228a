// Checks pages in Chromium: node run.mjs --base URL --pages FILE|LIST [--screenshots DIR]
//
// Every page at 390, 768 and 1280 px, light and dark, with reduced motion: lib/pages.mjs.

import { parseArgs } from 'node:util';

import { baseUrl, close, launch } from './lib/browser.mjs';
import { examine, LOOKS, parsePages, resolve } from './lib/pages.mjs';
import { exitWith, Report, shown } from './lib/report.mjs';

const OPTIONS = { base: { type: 'string' }, pages: { type: 'string' }, screenshots: { type: 'string' } };

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (!values.pages) throw new Error('--pages is missing: accepted is a file, or /PATH,/PATH');
  const base = baseUrl(values.base);
  const pages = parsePages(values.pages);
  const report = new Report();
  const browser = await launch(base);
  try {
    for (const page of pages) await check(browser, base, page, values.screenshots, report);
  } finally {
    await close(browser);
  }
  return report.end();
}

/** Adds a test per check of the page. */
async function check(browser, base, page, screenshots, report) {
  let path;
  try {
    path = await resolve(browser, base, page);
  } catch (error) {
    report.test(`${page.path} ${page.link}`, [error.message.split('\n')[0]]);
    return;
  }
  const checks = await examine(browser, base, { ...page, path }, { screenshots });
  for (const [name, findings] of checks) {
    report.test(
      `${path} ${name}`,
      [...findings.values()].map((finding) => shown(finding, LOOKS.length)),
    );
  }
}

await exitWith('run.mjs', main);
