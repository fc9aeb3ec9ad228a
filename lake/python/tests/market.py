"""The market that all tests share: tables, and the star schema built of them once."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from stoop_lake.star import Star


@cache
def data() -> Path:
    """The data folder that lake/check filled: stoop-data with tables and bronze."""
    return Path(os.environ["STOOP_LAKE_TEST_DATA"])


@cache
def star() -> Star:
    """The star schema of the market."""
    made = Star(data() / "tables", data() / "star.duckdb")
    if not made.file.exists():
        built = made.dbt("build")
        if not built.is_right:
            made.file.unlink(missing_ok=True)
            raise AssertionError(built.output[-8000:])
    return made
