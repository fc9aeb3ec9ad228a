"""The star schema: a DuckDB file that dbt builds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stoop_lake.bucket import is_bucket
from stoop_lake.duck import connect, memory_limit, quoted
from stoop_lake.tables import Tables

PROJECT = Path(__file__).resolve().parents[2] / "dbt"
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


@dataclass(frozen=True)
class Done:
    """What a run of dbt left."""

    is_right: bool
    output: str


class Star:
    """The star schema of a folder of tables: a DuckDB file, and beside it what dbt writes.

    `memory` is the most that DuckDB takes, such as 4GB.
    """

    def __init__(self, tables: Path, star: Path, bronze: Path | None = None, memory: str | None = None) -> None:
        self.tables = tables.resolve()
        self.file = star.resolve()
        self.memory = memory or memory_limit()
        self.target = self.file.with_suffix(".dbt")
        found = bronze or self.tables.parent / "lake" / "observations"
        self.bronze = found.resolve() if any(found.glob("dt=*/*.jsonl*")) else None

    def dbt(self, *arguments: str, heard: Callable[[str], None] = lambda _: None) -> Done:
        """Runs dbt, which reads no file of the user and calls nobody. `heard` gets each line that it prints."""
        env = os.environ | {
            "STOOP_TABLES": str(self.tables),
            "STOOP_STAR": str(self.file),
            "STOOP_BRONZE": str(self.bronze or ""),
            "STOOP_MEMORY": self.memory,
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            # profiles.yml names a module of this package.
            "PYTHONPATH": str(PROJECT.parent / "python"),
        }
        options = ("--project-dir", PROJECT, "--profiles-dir", PROJECT, "--no-use-colors")
        out = ("--target-path", self.target / "target", "--log-path", self.target / "logs")
        program = Path(sys.executable).with_name("dbt")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # Those of an earlier run say nothing about this one.
        self._results.unlink(missing_ok=True)
        lines = []
        with subprocess.Popen(
            [program, *arguments, *options, *out],
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            for line in process.stdout or ():
                lines.append(line)
                heard(line)
        return Done(process.returncode == 0, "".join(lines))

    def results(self) -> list[dict[str, Any]]:
        """The outcome of each model and test in the last run of dbt. Empty if it did not get so far."""
        try:
            results: list[dict[str, Any]] = json.loads(self._results.read_text())["results"]
        except (OSError, ValueError, KeyError):
            return []
        return results

    def began(self) -> None:
        """Notes that the file is being built, and of which versions of which tables."""
        self.target.mkdir(parents=True, exist_ok=True)
        _finished(self.file).unlink(missing_ok=True)
        of = {name: _commit(self.tables, name, _newest(self.tables, name)) for name in NEEDED}
        _unfinished(self.file).write_text(json.dumps({"tables": str(self.tables), "of": of}))

    def ended(self) -> None:
        """Notes that all models were built, if they were."""
        results = self.results()
        # dbt skips what depends on a model that failed, or of which a test failed.
        if results and not named(results, "error", "skipped"):
            _unfinished(self.file).rename(_finished(self.file))

    @property
    def _results(self) -> Path:
        return self.target / "target" / "run_results.json"

    def rows(self) -> list[tuple[str, int]]:
        """The tables of the schema `gold`, and how many rows each has."""
        with connect(self.file, read_only=True) as connection:
            found = connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'gold' order by table_name"
            ).fetchall()
            count = "select count(*) from gold."
            counts = [connection.execute(count + quoted(name)).fetchall()[0][0] for (name,) in found]
        return [(name, rows) for (name,), rows in zip(found, counts, strict=True)]


def named(results: list[dict[str, Any]], *statuses: str) -> list[str]:
    """The names of the models and tests with one of these statuses."""
    return [row["unique_id"].split(".")[2] for row in results if row["status"] in statuses]


def doubt(star: Path, tables: Tables) -> str | None:
    """Why a star schema may not be that of these tables as they are now."""
    if is_unfinished(star):
        return f"{star} is unfinished; run lake/gold again"
    note = _finished(star)
    if is_bucket(tables.place) or not note.is_file():
        return None
    built = json.loads(note.read_text())
    folder = tables.folder.resolve()
    if built["tables"] != str(folder):
        return f"{star} was built of {built['tables']}, not of {tables.place}"
    changed = [name for name, commit in built["of"].items() if _has_changed(folder, name, commit)]
    if changed:
        return f"{star} was built before {', '.join(changed)} last changed; lake/gold builds it anew"
    return None


def is_unfinished(star: Path) -> bool:
    """Whether a run that builds a star schema goes on, or was stopped."""
    return _unfinished(star).exists()


def _has_changed(tables: Path, name: str, built: dict[str, Any] | None) -> bool:
    """Whether a table has other rows than at a commit. One that was removed and made again has other commits."""
    if built is None or _commit(tables, name, built["version"]) != built:
        return True
    later = (_commit(tables, name, number) for number in range(built["version"] + 1, _newest(tables, name) + 1))
    # Merged files have the same rows.
    return any(commit is None or commit["operation"] != "OPTIMIZE" for commit in later)


def _newest(tables: Path, name: str) -> int:
    return max((int(file.stem) for file in _log(tables, name).glob("[0-9]*.json")), default=-1)


def _commit(tables: Path, name: str, version: int) -> dict[str, Any] | None:
    """Which commit made a version, as the log of Delta says; None if it is not there."""
    try:
        lines = (_log(tables, name) / f"{version:020}.json").read_text().splitlines()
        info = next(action["commitInfo"] for action in map(json.loads, lines) if "commitInfo" in action)
    except (OSError, StopIteration):
        return None
    return {"version": version, "timestamp": info["timestamp"], "operation": info["operation"]}


def _log(tables: Path, name: str) -> Path:
    return tables / name / "_delta_log"


def _unfinished(star: Path) -> Path:
    return star.with_suffix(".dbt") / "unfinished.json"


def _finished(star: Path) -> Path:
    return star.with_suffix(".dbt") / "finished.json"
