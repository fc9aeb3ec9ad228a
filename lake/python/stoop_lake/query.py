"""`lake/sql`: one query over the tables of a folder."""

from __future__ import annotations

import re
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import duckdb

from stoop_lake import show
from stoop_lake.duck import connect, literal, quoted
from stoop_lake.errors import LakeError
from stoop_lake.star import doubt
from stoop_lake.tables import Moment, Tables, parse_time

BATCH = 10_000


def run(args: Namespace) -> None:
    """Runs the query and prints its rows."""
    tables = Tables(args.tables)
    moment = Moment(number=args.version, at=parse_time(args.as_of) if args.as_of else None)
    if args.gold and not moment.is_now:
        raise LakeError("--gold is as lake/gold built it; it has no --as-of and no --version")
    query = sys.stdin.read() if args.query == "-" else args.query
    with connect() as connection:
        missing = tables.attach(connection, moment)
        if args.gold:
            _attach_gold(connection, args.gold)
            if why := doubt(Path(args.gold), tables):
                print(f"lake/sql: {why}", file=sys.stderr)
        try:
            execute(connection, query)
            # Rows are made while they are printed, so that mistakes in them show here.
            _print(connection, args)
        except duckdb.InterruptException as error:
            raise LakeError(explain(connection, query, cause(connection, query) or error, missing, moment)) from error
        except duckdb.Error as error:
            raise LakeError(explain(connection, query, error, missing, moment)) from error


def execute(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Runs a query, with a bar on the terminal once it takes a second. Ctrl-C stops it."""
    failure: list[BaseException] = []

    def work() -> None:
        try:
            connection.execute(query)
        except BaseException as error:  # raised again below, in the caller's thread
            failure.append(error)

    # DuckDB's own bar goes to standard output, where the rows go.
    connection.execute("set enable_progress_bar = true; set enable_progress_bar_print = false")
    thread = threading.Thread(target=work, daemon=True)
    began = time.monotonic()
    thread.start()
    drawn = False
    try:
        while thread.is_alive():
            thread.join(0.1)
            if sys.stderr.isatty() and time.monotonic() - began > 1 and thread.is_alive():
                _draw(connection.query_progress(), time.monotonic() - began)
                drawn = True
    except KeyboardInterrupt:
        connection.interrupt()
        thread.join()
        raise LakeError("stopped") from None
    finally:
        if drawn:
            sys.stderr.write("\r\x1b[K")
    if failure:
        raise failure[0]


def cause(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Error | None:
    """Why a query fails that nobody stopped: DuckDB may report a thread that it stopped for another one's mistake."""
    connection.execute("set threads = 1")
    try:
        connection.execute(query)
        for _ in _batches(connection):
            pass
    except duckdb.Error as error:
        return error
    return None


def explain(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    error: duckdb.Error,
    missing: dict[str, str],
    moment: Moment,
) -> str:
    """DuckDB's message, and what the query could have named."""
    text = str(error).strip()
    lines = [show.plain(text.split("\n\n")[0].split("\nLINE")[0])]
    position = re.search(r"^LINE \d+:.*?\n\s*\^", text, re.MULTILINE | re.DOTALL)
    if position:
        lines += [line for line in position.group(0).split("\n")]
    if not moment.is_now and ".parquet" in text:
        # See `stoop-lake maintain`.
        lines.append(
            "files of this version were removed after the retention; ingested_at tells what observations had when"
        )
    names = _names(connection)
    words = set(re.findall(r"\w+", query.lower()))
    for name in sorted(words & missing.keys()):
        lines.append(f"table {name}: no version {moment}; it has {missing[name]}")
    if isinstance(error, duckdb.CatalogException):
        if re.search(r"name (fct|dim)_\w+ does not exist", text) and "fct_listing_day" not in names:
            lines.append("that is a table of the star schema: --gold stoop-data/star.duckdb; lake/gold builds it")
        lines.append(f"tables: {', '.join(sorted(names))}")
    elif isinstance(error, duckdb.BinderException):
        for name in sorted(words & set(names)):
            columns = [row[0] for row in connection.execute(f"describe {quoted(name)}").fetchall()]
            lines.append(f"columns of {name}: {', '.join(columns)}")
    return "\n  ".join(lines)


def _names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select view_name from duckdb_views() where not internal and database_name = 'memory'"
        " union select table_name from duckdb_tables() where schema_name = 'gold'"
    ).fetchall()
    return [row[0] for row in rows]


def _attach_gold(connection: duckdb.DuckDBPyConnection, gold: str) -> None:
    try:
        connection.execute(f"attach {literal(gold)} as star (read_only)")
        connection.execute("set search_path = 'memory.main,star.gold'")
    except duckdb.Error as error:
        raise LakeError(f"no star schema in {gold}; lake/gold makes one: {show.plain(str(error))}") from error


def _print(connection: duckdb.DuckDBPyConnection, args: Namespace) -> None:
    if connection.description is None:
        return
    columns = [column[0] for column in connection.description]
    if args.csv:
        show.write_csv(sys.stdout, columns, _batches(connection))
    elif args.json:
        show.write_json(sys.stdout, columns, _batches(connection))
    else:
        rows = connection.fetchmany(args.limit + 1)
        show.table(sys.stdout, columns, rows[: args.limit])
        if not rows:
            print("no rows")
        if len(rows) > args.limit:
            more = len(rows) - args.limit + sum(len(batch) for batch in _batches(connection))
            print(f"… and {more:,} more; --limit shows more, --csv and --json all")


def _batches(connection: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[object, ...]]]:
    while batch := connection.fetchmany(BATCH):
        yield batch


def _draw(percent: float, seconds: float) -> None:
    # DuckDB does not know how far some queries are: -1.
    filled = int(max(percent, 0) / 100 * 40)
    share = f"{percent:3.0f} %" if percent >= 0 else "  … "
    sys.stderr.write(f"\r[{'█' * filled}{' ' * (40 - filled)}] {share} {seconds:.0f} s\x1b[K")
    sys.stderr.flush()
