// The report of a test runner: a line per test, the failures below it, and the sum last.

/** Counts and prints tests. */
export class Report {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #print;

  constructor(print = console.log) {
    this.#print = print;
  }

  /** A test passes if nothing was found. */
  test(name, findings) {
    if (findings.length === 0) {
      this.#passed += 1;
      this.#print(`ok    ${name}`);
      return;
    }
    this.#failed += 1;
    this.#print(`FAIL  ${name}`);
    for (const finding of findings) this.#print(`      ${finding}`);
  }

  skip(name, why) {
    this.#skipped += 1;
    this.#print(`skip  ${name}: ${why}`);
  }

  /** Prints the sum. Returns the exit code. */
  end() {
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : '';
    this.#print(`${this.#passed} passed, ${this.#failed} failed${skipped}`);
    return this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }
}

/** A finding of `examine` as text. */
export function shown({ what, where, looks }, lookCount) {
  const places = looks.size === lookCount ? 'everywhere' : [...looks].join(', ');
  return `${places}: ${what} at ${where}`;
}

/** Runs a program's `main`, which returns the exit code. An error is a sentence, not a trace. */
export async function exitWith(name, main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    const why = error.cause instanceof Error ? ` (${error.cause.message.split('\n')[0]})` : '';
    console.error(`${name}: ${error.message}${why}`);
    process.exitCode = 2;
  }
}
