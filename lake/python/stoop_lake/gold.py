"""`lake/gold`: builds and tests the star schema with dbt."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
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


def run(args: Namespace) -> None:
    """Builds the star schema, then tests it."""
    tables = Tables(args.tables)
    star = Star(tables.folder, Path(args.star) if args.star else tables.folder.parent / "star.duckdb")
    refresh = ["--full-refresh"] if args.full_refresh else []
    if star.dbt("build", *refresh).returncode != 0:
        raise LakeError(f"the star schema in {star.file} is not right; dbt says above what is wrong")
    if args.freshness and star.dbt("source", "freshness").returncode != 0:
        raise LakeError(f"tables in {tables.folder} are stale; dbt says above which")
    if args.docs:
        if star.dbt("docs", "generate", "--static").returncode != 0:
            raise LakeError("dbt could not write the documentation; it says above why")
        print(f"documentation and lineage: {star.target / 'target' / 'static_index.html'}")
    print(f"star schema: {star.file}")
