// What a page does while it is open: requests, failures, messages on the console.

import { until } from './browser.mjs';

/** A page is quiet if it has awaited no answer for so long. */
const QUIET_MS = 150;
/** A page that never becomes quiet is looked at after so long. */
const QUIET_WITHIN_MS = 30_000;
const NETWORK = ['http:', 'https:', 'ws:', 'wss:'];
/** Chromium's message for an answer that `responses` or `hosts` reports. */
const NOT_LOADED = 'Failed to load resource';

/** Records findings `{ check, what, where }` of the checks `console`, `responses` and `hosts`. */
export class Watch {
  #host;
  #documentStatus;
  #found = [];
  #reported = new Set();
  #pending = new Set();
  #quietSince = Date.now();
  #paused = false;

  /** `documentStatus`: the answer to the page itself is not checked here, but compared with this by the caller. */
  constructor(page, base, { documentStatus } = {}) {
    this.#host = new URL(base).host;
    this.#documentStatus = documentStatus;
    page.on('request', (request) => this.#requested(request));
    page.on('requestfinished', (request) => this.#ended(request));
    page.on('requestfailed', (request) => this.#failed(request));
    page.on('response', (response) => this.#answered(response));
    page.on('websocket', (socket) => this.#elsewhere(socket.url(), 'websocket'));
    page.on('pageerror', (error) => this.#find('console', `uncaught ${error.message}`, page.url()));
    page.on('console', (message) => this.#said(message));
    page.on('dialog', (dialog) => {
      this.#find('console', `a dialog of type ${dialog.type()}: ${dialog.message()}`, page.url());
      dialog.dismiss().catch(() => {});
    });
  }

  /** Ignores everything until `resume`. */
  pause() {
    this.#paused = true;
  }

  resume() {
    this.#paused = false;
  }

  /** Waits until no answer is awaited, except those that never end: server-sent events. */
  async quiet() {
    await until(() => this.#pending.size === 0 && Date.now() - this.#quietSince >= QUIET_MS, QUIET_WITHIN_MS, 25);
  }

  /** All findings so far, without messages about answers that are findings themselves. */
  findings() {
    const isRepeated = ({ check, what, where }) =>
      check === 'console' && what.includes(NOT_LOADED) && this.#reported.has(where);
    return this.#found.filter((finding) => !isRepeated(finding));
  }

  #find(check, what, where) {
    if (!this.#paused) this.#found.push({ check, what, where });
  }

  #said(message) {
    const { url } = message.location();
    if (['error', 'warning'].includes(message.type()))
      this.#find('console', `${message.type()}: ${message.text()}`, url);
  }

  /** Returns whether the URL is of another host, and reports it. */
  #elsewhere(text, type) {
    const url = new URL(text);
    if (!NETWORK.includes(url.protocol) || url.host === this.#host) return false;
    this.#reported.add(text);
    this.#find('hosts', `${type} of ${url.host}`, text);
    return true;
  }

  #requested(request) {
    if (this.#elsewhere(request.url(), request.resourceType())) return;
    if (request.resourceType() !== 'eventsource') this.#pending.add(request);
  }

  #ended(request) {
    if (this.#pending.delete(request)) this.#quietSince = Date.now();
  }

  #failed(request) {
    this.#ended(request);
    const why = request.failure()?.errorText ?? 'unknown';
    // A page that is left aborts its requests.
    if (why === 'net::ERR_ABORTED' || this.#reported.has(request.url())) return;
    this.#reported.add(request.url());
    this.#find('responses', `${request.method()} failed: ${why}`, request.url());
  }

  #answered(response) {
    const isDocument = response.request().isNavigationRequest() && response.frame().parentFrame() === null;
    if (response.status() < 400) return;
    const isRepeated = this.#reported.has(response.url());
    this.#reported.add(response.url());
    if (isRepeated || (isDocument && this.#documentStatus !== undefined)) return;
    this.#find('responses', `${response.request().method()} answered ${response.status()}`, response.url());
  }
}
