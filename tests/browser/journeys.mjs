// Uses the pages as people do: node journeys.mjs --base URL [--area TEXT] [--heading TEXT] [--live-seconds N]
//     [--stop COMMAND --start COMMAND] [--only PART-OF-A-NAME] [--tours] [--pictures FOLDER]
//
// TEXT of --area is typed into the search; TEXT of --heading stands in the first heading of the area. --stop stops the
// server, and --start starts another one at the same address, which is ended afterwards. --tours, for the pages of
// `stoop demo` only, takes the tours of docs/TOURS.md; --pictures keeps their pictures.

import { parseArgs } from 'node:util';

import { baseUrl, close, launch } from './lib/browser.mjs';
import { runJourneys } from './lib/journeys.mjs';
import { exitWith, Report } from './lib/report.mjs';

const OPTIONS = {
  base: { type: 'string' },
  area: { type: 'string', default: 'chicago, il' },
  heading: { type: 'string', default: 'Chicago' },
  'live-seconds': { type: 'string', default: '120' },
  stop: { type: 'string' },
  start: { type: 'string' },
  only: { type: 'string' },
  tours: { type: 'boolean' },
  pictures: { type: 'string' },
};
const ANSWERS = ['[data-answer=cooling]', '[data-answer=cut]', '[data-answer=unusual]'];

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  const { area, heading, stop, start, tours, pictures } = values;
  const liveMs = Number(values['live-seconds']) * 1000;
  if (!(liveMs > 0)) throw new Error(`--live-seconds is ${values['live-seconds']}: accepted is a number above 0`);
  const base = baseUrl(values.base);
  const report = new Report();
  const browser = await launch(base);
  try {
    const times = { liveMs, stepMs: 60_000, startMs: 600_000 };
    const options = { answers: ANSWERS, area, heading, ...times, stop, start, tours, pictures };
    await runJourneys(browser, base, options, report, values.only);
  } finally {
    await close(browser);
  }
  return report.end();
}

await exitWith('journeys.mjs', main);
