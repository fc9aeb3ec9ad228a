// Two ways to use a page: by mouse and by keyboard alone. Neither needs a script on the page.

/** More stops than a page may have between two things. */
const STOPS_MAX = 400;

export class Mouse {
  #page;

  constructor(page) {
    this.#page = page;
  }

  async open(link) {
    await link.click();
  }

  async submit(field, text) {
    await field.click();
    await this.#page.keyboard.type(text);
    await this.#page.keyboard.press('Enter');
  }
}

export class Keyboard {
  #page;

  constructor(page) {
    this.#page = page;
  }

  async open(link) {
    await this.#reach(link);
    await this.#page.keyboard.press('Enter');
  }

  async submit(field, text) {
    await this.#reach(field);
    await this.#page.keyboard.type(text);
    await this.#page.keyboard.press('Enter');
  }

  /** Presses Tab until the focus is there. The focus must be seen at every stop. */
  async #reach(target) {
    const seen = [];
    for (let stop = 0; stop < STOPS_MAX; stop += 1) {
      await this.#page.keyboard.press('Tab');
      const { name, isFirst, isShown } = await this.#page.evaluate(focus);
      if (name !== undefined && !isShown) throw new Error(`the focus on ${name} is not to be seen`);
      if (await target.evaluate((element) => element === document.activeElement)) return;
      // Behind the last stop lies the browser's own window, or the first stop again.
      if (name === undefined ? stop > 0 : !isFirst) break;
      seen.push(name);
    }
    throw new Error(`${target} is not reached by Tab, only ${seen.filter(Boolean).join(', ') || 'nothing'}`);
  }
}

/** In the page: what has the focus, whether it has it for the first time or still, and whether that is seen. */
function focus() {
  const element = document.activeElement;
  if (element === null || element === document.body) return {};
  const style = getComputedStyle(element);
  const hasOutline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  const { right, bottom, width, height } = element.getBoundingClientRect();
  const isInView = right > 0 && bottom > 0 && width > 0 && height > 0;
  const text = (element.getAttribute('aria-label') ?? element.textContent).trim().slice(0, 30);
  const name = `${element.localName}${element.id ? `#${element.id}` : ''} "${text}"`;
  globalThis.stoopFocused ??= new WeakSet();
  // A date has several stops: one for each of its parts.
  const isFirst = !globalThis.stoopFocused.has(element) || globalThis.stoopLast === element;
  globalThis.stoopFocused.add(element);
  globalThis.stoopLast = element;
  return { name, isFirst, isShown: isInView && (hasOutline || style.boxShadow !== 'none') };
}
