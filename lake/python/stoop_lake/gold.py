"""`lake/gold`: builds and tests the star schema with dbt."""

from __future__ import annotations

import fcntl
import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stoop_lake import show
from stoop_lake.errors import LakeError
from stoop_lake.star import NEEDED, Star, named
from stoop_lake.tables import Tables

# A path is written into SQL, Jinja, a URL and a glob.
UNFIT = set("'\"{}[]*?#%\\")
# A line of dbt about a model or test that begins or is right.
STEP = re.compile(r"(\d+) of (\d+) (START|OK|PASS) (.*?)\.*( \[|$)")


def run(args: Namespace) -> None:
    """Builds the star schema, then tests it."""
    tables = Tables(args.tables)
    lacking = [name for name in NEEDED if name not in tables.names]
    if lacking:
        raise LakeError(f"{tables.folder} lacks the tables {', '.join(lacking)}; `stoop-lake tables` makes them")
    file = Path(args.star) if args.star else tables.folder.parent / "star.duckdb"
    star = Star(tables.folder, file, memory=args.memory)
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
    star.began()
    is_right = _dbt(star, args, "build", *refresh)
    star.ended()
    if not is_right:
        raise LakeError(f"{star.file} is not right: {_what_failed(star)}")
    show.table(sys.stdout, ("table", "rows"), star.rows())
    results = star.results()
    print(f"{len(named(results, 'pass'))} tests passed")
    for row in results:
        if row["status"] == "warn":
            print(f"warning: {named([row], 'warn')[0]}: {row['message']}")
    if args.freshness and not _dbt(star, args, "source", "freshness"):
        raise LakeError(f"tables in {star.tables} are stale; dbt says above which")
    if args.docs:
        if not _dbt(star, args, "docs", "generate", "--static"):
            raise LakeError("dbt could not write the documentation; it says above why")
        print(f"documentation and lineage: {star.target / 'target' / 'static_index.html'}")


def _dbt(star: Star, args: Namespace, *arguments: str) -> bool:
    """Runs dbt. Says how far it is on a terminal, and what it printed if something is wrong."""
    is_drawn = sys.stderr.isatty() and not args.verbose

    def heard(line: str) -> None:
        if args.verbose:
            print(line, end="", flush=True)
        elif is_drawn and (step := STEP.search(line)):
            sys.stderr.write(f"\r\x1b[K{step[1]} of {step[2]}: {show.plain(step[4])[:60]}")
            sys.stderr.flush()

    try:
        done = star.dbt(*arguments, heard=heard)
    finally:
        if is_drawn:
            sys.stderr.write("\r\x1b[K")
    if not done.is_right and not args.verbose:
        sys.stderr.write("".join(line for line in done.output.splitlines(keepends=True) if not STEP.search(line)))
    return done.is_right


def _what_failed(star: Star) -> str:
    """Which tests found wrong rows and which models could not be built, and what helps where that is known."""
    results = star.results()
    failed, errors = named(results, "fail"), named(results, "error")
    parts = [f"tests found wrong rows: {', '.join(failed)}"] if failed else []
    parts += [f"could not be built: {', '.join(errors)}"] if errors else []
    if "history_equals_lead" in failed:
        # `stoop-lake ingest` alone gives newer observations than the history.
        parts.append("run `stoop-lake tables` first, which reads observations and history as of one moment")
    return "; ".join(parts) or "dbt says above why"
