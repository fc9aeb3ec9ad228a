// Chromium, and the packages that drive it.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder with `node_modules`: that of `STOOP_BROWSER_PACKAGES`, otherwise `tests/browser`. */
const PACKAGES = process.env.STOOP_BROWSER_PACKAGES || fileURLToPath(new URL('..', import.meta.url));
/** Names of the program, on Debian first. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
/** Milliseconds that one action may take on a busy machine. */
const PATIENCE_MS = 60_000;
/** Milliseconds after which a program, a page or the browser is not waited for any more. */
const BOUND_MS = 300_000;

const require = createRequire(join(PACKAGES, '/'));

/** Loads from the packages. */
function installed(load) {
  try {
    return load();
  } catch (error) {
    throw new Error(`the packages are not in ${PACKAGES}: \`cargo xtask browser\`, or \`npm ci\` there`, {
      cause: error,
    });
  }
}

/** The path of Chromium: `STOOP_CHROMIUM`, otherwise the first on `PATH`. */
function chromiumPath() {
  if (process.env.STOOP_CHROMIUM) return process.env.STOOP_CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (!found) {
    throw new Error(`no ${NAMES.join(', ')} on PATH: \`apt-get install chromium\`, or set STOOP_CHROMIUM to its path`);
  }
  return found;
}

/** Starts Chromium. It resolves no host but that of `base`: no request to another one leaves the machine. */
export async function launch(base) {
  const rules = ['MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1', 'EXCLUDE localhost', `EXCLUDE ${new URL(base).hostname}`];
  const { chromium } = installed(() => require('playwright-core'));
  return chromium.launch({
    timeout: BOUND_MS,
    executablePath: chromiumPath(),
    args: [`--host-resolver-rules=${rules.join(', ')}`],
  });
}

/**
 * A page in a context of its own. The phone is a mobile device: its layout viewport grows with its content, as a real
 * one's does. Options are Playwright's and override these.
 */
export async function newPage(browser, options = {}) {
  const width = options.viewport?.width ?? 1280;
  const made = browser.newContext({
    viewport: { width, height: 800 },
    isMobile: width < 600,
    hasTouch: width < 600,
    reducedMotion: 'reduce',
    serviceWorkers: 'block',
    locale: 'en-US',
    timezoneId: 'UTC',
    ...options,
  });
  const context = await within('a context of the browser', made);
  context.setDefaultTimeout(PATIENCE_MS);
  return within('a page of the browser', context.newPage());
}

/** Closes a page with its context. */
export async function closePage(page) {
  await within('the end of a page', page.context().close());
}

/** Ends the browser. */
export async function close(browser) {
  await within('the end of the browser', browser.close());
}

/** The source of axe-core, to be evaluated in a page. */
export function axeSource() {
  return installed(() => readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
}

/** `http://HOST:PORT`, without a path. Fails for anything else. */
export function baseUrl(text) {
  if (!text) throw new Error('--base is missing: accepted is http://HOST:PORT/');
  const url = new URL(text);
  if (!['http:', 'https:'].includes(url.protocol) || url.pathname !== '/' || url.search || url.hash) {
    throw new Error(`--base is ${text}: accepted is http://HOST:PORT/`);
  }
  return url.origin;
}

/** The result of a promise. Fails if there is none within `ms`. */
export async function within(what, promise, ms = BOUND_MS) {
  let timer;
  const late = new Promise((_, failed) => {
    timer = setTimeout(() => failed(new Error(`waited ${ms / 1000} s in vain for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `holds` until it returns true. Returns whether it did within `ms`. */
export async function until(holds, ms, everyMs = 50) {
  const end = Date.now() + ms;
  for (;;) {
    if (await holds()) return true;
    if (Date.now() >= end) return false;
    await new Promise((wake) => setTimeout(wake, everyMs));
  }
}
