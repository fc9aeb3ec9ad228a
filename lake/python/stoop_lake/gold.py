"""`lake/gold`: builds and tests the star schema with dbt."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stoop_lake.errors import LakeError
from stoop_lake.tables import Tables

PROJECT = Path(__file__).resolve().parents[2] / "dbt"


class Star:
    """The star schema of a folder of tables: a DuckDB file, and beside it what dbt writes."""

    def __init__(self, tables: Path, star: Path, bronze: Path | None = None) -> None:
        self.tables = tables.resolve()
        self.file = star.resolve()
        self.target = self.file.with_suffix(".dbt")
        found = bronze or self.tables.parent / "lake" / "observations"
        self.bronze = found.resolve() if any(found.glob("dt=*/*.jsonl*")) else None

    def dbt(self, *arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs dbt. It reads no file of the user and calls nobody."""
        env = os.environ | {
            "STOOP_TABLES": str(self.tables),
            "STOOP_STAR": str(self.file),
            "STOOP_BRONZE": str(self.bronze or ""),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            # profiles.yml names a module of this package.
            "PYTHONPATH": str(PROJECT.parent / "python"),
        }
        dirs: list[str | Path] = ["--project-dir", PROJECT, "--profiles-dir", PROJECT]
        out: list[str | Path] = ["--target-path", self.target / "target", "--log-path", self.target / "logs"]
        command: list[str | Path] = [Path(sys.executable).with_name("dbt"), *arguments, *dirs, *out]
        self.file.parent.mkdir(parents=True, exist_ok=True)
        kept = subprocess.PIPE if quiet else None
        return subprocess.run(command, env=env, text=True, stdout=kept, stderr=kept, check=False)


# What the models read. `stoop-lake tables` makes all of them.
NEEDED = (
    "alerts",
    "bronze",
    "listing_history",
    "market_days",
    "observations",
    "price_changes",
    "quarantine",
    "raw_pages",
    "runs",
)
# A path is written into SQL, Jinja, a URL and a glob.
UNFIT = set("'\"{}[]*?#%\\")


def run(args: Namespace) -> None:
    """Builds the star schema, then tests it."""
    tables = Tables(args.tables)
    lacking = [name for name in NEEDED if name not in tables.names]
    if lacking:
        raise LakeError(f"{tables.folder} lacks the tables {', '.join(lacking)}; `stoop-lake tables` makes them")
    star = Star(tables.folder, Path(args.star) if args.star else tables.folder.parent / "star.duckdb")
    for path in (star.tables, star.file):
        if wrong := UNFIT & set(str(path)):
            raise LakeError(f"{path} has {' '.join(sorted(wrong))} in it, which dbt cannot take; use another folder")
    with _alone(star):
        _build(star, args)
    print(f"star schema: {star.file}")


@contextmanager
def _alone(star: Star) -> Iterator[None]:
    """DuckDB has one writer."""
    star.file.parent.mkdir(parents=True, exist_ok=True)
    with star.file.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LakeError(f"another lake/gold is building {star.file}") from None
        yield


def _build(star: Star, args: Namespace) -> None:
    refresh = ["--full-refresh"] if args.full_refresh else []
    if star.dbt("build", *refresh).returncode != 0:
        raise LakeError(f"{star.file} is not right: {_what_failed(star)}")
    if args.freshness and star.dbt("source", "freshness").returncode != 0:
        raise LakeError(f"tables in {star.tables} are stale; dbt says above which")
    if args.docs:
        if star.dbt("docs", "generate", "--static").returncode != 0:
            raise LakeError("dbt could not write the documentation; it says above why")
        print(f"documentation and lineage: {star.target / 'target' / 'static_index.html'}")


def _what_failed(star: Star) -> str:
    """Which tests found wrong rows and which models could not be built, and what helps where that is known."""
    try:
        results = json.loads((star.target / "target" / "run_results.json").read_text())["results"]
    except (OSError, ValueError):
        return "dbt could not run; it says above why"
    of = {
        status: [row["unique_id"].split(".")[2] for row in results if row["status"] == status]
        for status in ("fail", "error")
    }
    parts = [f"tests found wrong rows: {', '.join(of['fail'])}"] if of["fail"] else []
    parts += [f"could not be built: {', '.join(of['error'])}"] if of["error"] else []
    if "history_equals_lead" in of["fail"]:
        # `stoop-lake ingest` alone gives newer observations than the history.
        parts.append("run `stoop-lake tables` first, which reads observations and history as of one moment")
    return "; ".join(parts) or "dbt says above why"
