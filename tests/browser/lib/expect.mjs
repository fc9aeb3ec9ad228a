// What a page must have before a journey goes on. Each throws an error that says what is missing.

import { until } from './browser.mjs';

export function links(page, path) {
  return page
    .getByRole('main')
    .getByRole('link')
    .and(page.locator(`[href^="${path}"]`));
}

export async function present(locator, what, { stepMs }) {
  if (!(await until(async () => (await locator.count()) > 0, stepMs))) throw new Error(`there is not ${what}`);
}

export async function left(page, path, { stepMs }) {
  const isLeft = () => new URL(page.url()).pathname !== path;
  if (!(await until(isLeft, stepMs))) throw new Error(`Enter leads nowhere from ${path}`);
  await page.waitForLoadState();
}

export async function arrived(page, path, heading, { stepMs }) {
  let headings = [];
  const isThere = async () => {
    // Between two pages there is nothing to ask.
    headings = await page
      .getByRole('heading', { level: 1 })
      .allTextContents()
      .catch(() => []);
    return (
      new URL(page.url()).pathname.startsWith(path) &&
      headings.some((text) => text.trim() !== '' && text.includes(heading))
    );
  };
  if (await until(isThere, stepMs)) return page.waitForLoadState();
  throw new Error(`a page under ${path} with "${heading}" in its h1 is expected, its h1 is "${headings.join('", "')}"`);
}
