"""Waits of the tests, each with a bound: far longer than anything takes on a busy machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Of a wait for what takes seconds on an idle machine, and of one for a star schema.
PATIENCE_SECONDS = 600
LONG_SECONDS = 3_600
# Of one test. What it waits for then, and where, is printed by faulthandler.
TEST_SECONDS_MAX = 3_600
# Of all tests of a file.
FILE_SECONDS_MAX = 4 * TEST_SECONDS_MAX


def until(what: str, found: Callable[[], T | None]) -> T:
    """Looks until it finds something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (it := found()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain for {what}")
        time.sleep(0.01)
    return it


def processes_below(parent: int) -> list[tuple[int, str]]:
    """The processes that any thread of a process has started, as Linux lists them, with their commands."""
    found: list[tuple[int, str]] = []
    for file in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in _read(file).split():
            # A program that begins has that of its parent until then.
            command = _read(Path(f"/proc/{child}/cmdline")).replace("\0", " ").strip()
            found.append((int(child), command))
    return found


def has_ended(process: int) -> bool:
    """Whether a process is gone, or waits only for its parent to hear of its end."""
    state = _read(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return not state or state[0] == "Z"


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        # The process has ended.
        return ""
