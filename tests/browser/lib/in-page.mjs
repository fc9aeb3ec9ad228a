// Functions that run inside a page. Playwright sends each by its text: it must use nothing outside of itself.

/**
 * What reaches beyond the configured width: boxes of elements and lines of text. The page's own width is no measure: a
 * phone lays a page out wider if its content is wider, and hiding what overflows cuts it off.
 *
 * Let pass: what scrolls in a box of its own, other than the page or `main`; text that ends in an ellipsis; what only
 * screen readers see; insides of an SVG, which clips them; what lies wholly to the left, like a link to skip to the
 * content. Looks into no shadow root or frame.
 */
export function overflowing(width) {
  const slack = 1;
  const most = 10;
  const selector = (element) => {
    const parts = [];
    for (let at = element; at; at = at.parentElement) {
      if (at.id) return [`#${CSS.escape(at.id)}`, ...parts].join(' > ');
      const same = [...(at.parentElement?.children ?? [])].filter((other) => other.localName === at.localName);
      parts.unshift(same.length > 1 ? `${at.localName}:nth-of-type(${same.indexOf(at) + 1})` : at.localName);
    }
    return parts.join(' > ');
  };
  const excuses = (box, style, isText) => {
    if (box.localName === 'svg') return true;
    const isPage = ['html', 'body', 'main'].includes(box.localName);
    if (['auto', 'scroll'].includes(style.overflowX)) return !isPage;
    const hides = ['hidden', 'clip'].includes(style.overflowX);
    return hides && ((isText && style.textOverflow === 'ellipsis') || box.getBoundingClientRect().width <= 1);
  };
  const isExcused = (element, isText) => {
    let position = isText ? 'static' : getComputedStyle(element).position;
    for (let box = isText ? element : element.parentElement; box; box = box.parentElement) {
      const style = getComputedStyle(box);
      // A positioned box is laid out in the nearest positioned one, a fixed one in the window.
      const isLaidOutIn = position !== 'fixed' && (position !== 'absolute' || style.position !== 'static');
      if (isLaidOutIn && excuses(box, style, isText)) return true;
      if (isLaidOutIn) position = style.position;
    }
    return false;
  };
  const found = [];
  const wide = new Set();
  const look = (rects, element, what, isText) => {
    const isBeyond = ({ left, right, height }) => height > 0 && (right > width + slack || (left < -slack && right > 0));
    const beyond = [...rects].filter(isBeyond);
    if (beyond.length === 0 || isExcused(element, isText)) return;
    wide.add(element);
    const left = Math.round(Math.min(...beyond.map((rect) => rect.left)));
    const right = Math.round(Math.max(...beyond.map((rect) => rect.right)));
    found.push({ what: `${what} from ${left} to ${right} px of ${width}`, where: selector(element) });
  };
  const isWithin = (element) => element && (wide.has(element) || isWithin(element.parentElement));
  for (const element of document.querySelectorAll('*')) {
    if (!isWithin(element.parentElement)) look(element.getClientRects(), element, 'a box', false);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (text.data.trim() === '' || isWithin(text.parentElement)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    look(range.getClientRects(), text.parentElement, 'text', true);
  }
  const { scrollWidth } = document.documentElement;
  if (found.length === 0 && scrollWidth > width + slack) {
    found.push({ what: `the page scrolls to ${scrollWidth} px of ${width}`, where: 'html' });
  }
  const more = found.length - most;
  return more > 0 ? [...found.slice(0, most), { what: `and ${more} more of ${width} px`, where: 'html' }] : found;
}

/** What every page has: a title, a language, one first heading. */
export function structure() {
  const found = [];
  const { lang } = document.documentElement;
  if (document.title.trim() === '') found.push({ what: 'no title', where: 'title' });
  if (!/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/.test(lang)) found.push({ what: `the language is "${lang}"`, where: 'html' });
  const headings = [...document.querySelectorAll('h1')];
  if (headings.length !== 1) found.push({ what: `${headings.length} h1, one is expected`, where: 'h1' });
  if (headings.some((heading) => heading.textContent.trim() === '')) found.push({ what: 'an empty h1', where: 'h1' });
  return found;
}

/** Whether the page is dark in the dark theme, and light in the light one. */
export function background(theme) {
  const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    return pixel.getImageData(0, 0, 1, 1).data;
  };
  const isLight = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127;
  const colours = [document.body, document.documentElement].map((element) =>
    rgba(getComputedStyle(element).backgroundColor),
  );
  const painted = colours.find((colour) => colour[3] > 0);
  // axe-core takes it for white in either theme.
  if (!painted) return [{ what: 'no background', where: 'body' }];
  if (isLight(painted) === (theme === 'light')) return [];
  return [{ what: `a ${isLight(painted) ? 'light' : 'dark'} background in the ${theme} theme`, where: 'body' }];
}

/** What moves although the reader asked for reduced motion. Colours may fade. */
export function motion() {
  const shortMs = 100;
  const milliseconds = (list) =>
    Math.max(...list.split(',').map((time) => parseFloat(time) * (/ms$/.test(time) ? 1 : 1000)));
  const moves = /all|transform|translate|rotate|scale|left|right|top|bottom|inset|width|height|margin|padding/;
  const found = [];
  const name = (element) => (element.id ? `#${element.id}` : element.localName);
  for (const element of document.querySelectorAll('*')) {
    for (const pseudo of ['', '::before', '::after']) {
      const style = getComputedStyle(element, pseudo);
      const where = `${name(element)}${pseudo}`;
      if (pseudo !== '' && style.content === 'none') continue;
      if (style.animationName !== 'none' && milliseconds(style.animationDuration) > shortMs) {
        found.push({ what: `the animation ${style.animationName}`, where });
      }
      if (moves.test(style.transitionProperty) && milliseconds(style.transitionDuration) > shortMs) {
        found.push({ what: `a transition of ${style.transitionProperty}`, where });
      }
    }
    if (['animate', 'animateMotion', 'animateTransform'].includes(element.localName)) {
      found.push({ what: 'an animation in SVG', where: name(element.parentElement) });
    }
  }
  for (const animation of document.getAnimations()) {
    const isByScript = !(animation instanceof CSSAnimation || animation instanceof CSSTransition);
    const element = animation.effect?.target;
    if (isByScript && element && animation.effect.getComputedTiming().endTime > shortMs) {
      found.push({ what: 'an animation by script', where: name(element) });
    }
  }
  if (getComputedStyle(document.documentElement).scrollBehavior === 'smooth') {
    found.push({ what: 'smooth scrolling', where: 'html' });
  }
  return found;
}

/** Links that make the browser connect to other hosts, which shows as no request. */
export function connections(host) {
  const links = document.querySelectorAll('link[rel~=preconnect], link[rel~=dns-prefetch]');
  const others = [...links].filter((link) => new URL(link.href, location.href).host !== host);
  return others.map((link) => ({ what: `${link.rel} to another host`, where: link.href }));
}

/** Opens everything that is folded. Returns whether there was anything. */
export function unfold() {
  const folded = [...document.querySelectorAll('details:not([open])')];
  for (const details of folded) details.open = true;
  return folded.length > 0;
}

/** Violations of WCAG 2 (A and AA) and of good practice, as axe-core finds them. */
export async function violations() {
  const most = 5;
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const results = await globalThis.axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
  return results.violations.flatMap(({ id, impact, help, nodes }) => {
    const found = nodes.slice(0, most).map((node) => {
      const { contrastRatio, expectedContrastRatio, fgColor, bgColor } = node.any[0]?.data ?? {};
      const colours = contrastRatio ? `, ${contrastRatio} of ${expectedContrastRatio}, ${fgColor} on ${bgColor}` : '';
      return { what: `${id} (${impact}): ${help}${colours}`, where: node.target.flat().join(' ') };
    });
    const more = nodes.length - most;
    return more > 0 ? [...found, { what: `${id}: and ${more} more`, where: 'html' }] : found;
  });
}
