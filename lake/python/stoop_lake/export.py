"""`lake/export`: tables as Parquet, as CSV or as one DuckDB file."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from pathlib import Path

import duckdb

from stoop_lake.duck import connect, literal, quoted
from stoop_lake.errors import LakeError
from stoop_lake.query import execute, explain
from stoop_lake.tables import Moment, Tables, parse_time


def run(args: Namespace) -> None:
    """Writes the tables to a new folder, or to a new file if the format is duckdb."""
    tables = Tables(args.tables)
    moment = Moment(number=args.version, at=parse_time(args.as_of) if args.as_of else None)
    target = Path(args.target)
    if target.exists():
        raise LakeError(f"{target} exists; name a new one")
    for name in args.table:
        tables.path(name)
    # A reader never sees half an export: it is made beside its place and then moved.
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    with connect() as connection:
        missing = tables.attach(connection, moment)
        names = args.table or [name for name in tables.names if name not in missing]
        for name in names:
            if name in missing:
                raise LakeError(f"table {name}: no version {moment}; it has {missing[name]}")
        if not names:
            raise LakeError(f"no table in {tables.place} has a version {moment}")
        try:
            rows = _write(connection, names, args.format, unfinished)
            unfinished.rename(target)
        except duckdb.Error as error:
            raise LakeError(f"{target} is not written: {explain(connection, '', error, missing, moment)}") from error
        except OSError as error:
            raise LakeError(f"{target} cannot be written: {error}") from error
        finally:
            _remove(unfinished)
    for name, count in rows.items():
        print(f"{name}: {count:,} {'row' if count == 1 else 'rows'}")


def _remove(unfinished: Path) -> None:
    """What an export leaves that did not end well."""
    if unfinished.is_dir():
        shutil.rmtree(unfinished, ignore_errors=True)
    else:
        for file in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
            file.unlink(missing_ok=True)


def _write(connection: duckdb.DuckDBPyConnection, names: list[str], form: str, target: Path) -> dict[str, int]:
    if form == "duckdb":
        connection.execute(f"attach {literal(str(target))} as export")
        for name in names:
            execute(connection, f"create table export.{quoted(name)} as select * from {quoted(name)}")
        counts = _counts(connection, names)
        connection.execute("detach export")
        return counts
    target.mkdir(parents=True)
    options = "format parquet, compression zstd" if form == "parquet" else "format csv, header"
    for name in names:
        file = literal(str(target / f"{name}.{form}"))
        execute(connection, f"copy (select * from {quoted(name)}) to {file} ({options})")
    return _counts(connection, names)


def _counts(connection: duckdb.DuckDBPyConnection, names: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        row = connection.execute(f"select count(*) from {quoted(name)}").fetchone()
        counts[name] = int(row[0]) if row else 0
    return counts
