"""Runs all tests and ends with `N passed, N failed, N skipped`; `python -m tests sql gold` runs those of two files."""

from __future__ import annotations

import faulthandler
import re
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.market import star
from tests.waits import FILE_SECONDS_MAX, LONG_SECONDS, TEST_SECONDS_MAX

# The longest first.
NAMES = ("gold", "exploration", "sql", "postgres", "plants")


class Result(unittest.TestResult):
    """Counts a test, or each of its parts, and says how long it took."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0
        self.bad = 0
        self.parts: list[bool] = []
        self.began = 0.0

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self.parts = []
        self.began = time.monotonic()
        # Where a test stands still is printed, and its process ends.
        faulthandler.dump_traceback_later(TEST_SECONDS_MAX, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def say(self, outcome: str, test: unittest.TestCase, detail: str = "") -> None:
        print(f"{outcome:>7}  {time.monotonic() - self.began:5.1f} s  {test.id().removeprefix('tests.')}", flush=True)
        if detail:
            print(detail, flush=True)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:  # noqa: ANN401, N802
        super().addSubTest(test, subtest, err)
        self.parts.append(err is None)
        if err is None:
            self.passed += 1
        else:
            self.failed(subtest, err)

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().addSuccess(test)
        if all(self.parts):
            self.passed += 0 if self.parts else 1
            parts = f" ({len(self.parts)} parts)" if self.parts else ""
            self.say(f"ok{parts}", test)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401, N802
        super().addFailure(test, err)
        self.failed(test, err)

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401, N802
        super().addError(test, err)
        self.failed(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self.say("skipped", test, reason)

    def failed(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401
        self.bad += 1
        self.say("FAILED", test, self._exc_info_to_string(err, test))  # type: ignore[attr-defined]


def one(name: str) -> int:
    """Runs the tests of one file."""
    result = Result()
    unittest.defaultTestLoader.loadTestsFromName(f"tests.test_{name}").run(result)
    print(f"{result.passed} passed, {result.bad} failed, {len(result.skipped)} skipped")
    return 0 if result.bad == 0 else 1


def main(names: list[str]) -> int:
    """Runs the tests of these files, each in a process of its own, two at a time."""
    began = time.monotonic()
    faulthandler.dump_traceback_later(LONG_SECONDS, exit=True)
    star()
    faulthandler.cancel_dump_traceback_later()
    print(f"  built  {time.monotonic() - began:5.1f} s  the star schema of the market", flush=True)

    def run(name: str) -> list[int]:
        command = [sys.executable, "-m", "tests", "--one", name]
        # Not a pipe, which what a stopped test has started would keep open.
        with tempfile.TemporaryFile("w+") as out:
            try:
                subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, timeout=FILE_SECONDS_MAX)
            except subprocess.TimeoutExpired as error:
                print(error, file=out)
            out.seek(0)
            *lines, last = out.read().splitlines() or [f"test_{name} printed nothing"]
        counted = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", last)
        print("\n".join(lines if counted else [*lines, last]), flush=True)
        # A process that dies without counting is a failure.
        return [int(number) for number in counted.groups()] if counted else [0, 1, 0]

    with ThreadPoolExecutor(2) as pool:
        passed, failed, skipped = (sum(counts) for counts in zip(*pool.map(run, names or NAMES), strict=True))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(one(sys.argv[2]) if sys.argv[1:2] == ["--one"] else main(sys.argv[1:]))
