"""What the tables cost, beside Polars and DuckDB on the same lines; lake/bench calls it in a folder with stoop-data."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable

from stoop_lake.duck import connect, literal

BRONZE = "stoop-data/lake/observations/**/*.jsonl.zst"
TABLE = "stoop-data/tables/observations"

# In a process of its own: a child's memory is counted from its parent's.
LINES = f"""
from stoop_lake.duck import connect
options = "header = false, quote = '', escape = ''"
columns = f"columns = {{{{'line': 'varchar'}}}}, {{options}}, delim = '', auto_detect = false"
lines = f"select line from read_csv('{BRONZE}', {{columns}}, max_line_size = 20000000)"
connect().execute(f"copy ({{lines}}) to 'lines.jsonl' (format csv, {{options.replace('=', '')}}, delimiter '\x01')")
"""

# Polars has all lines in memory.
COMPARED_MAX = 2_000_000

# Untyped, without keys, areas or checks: the least that a program can do to the same lines.
DUCKDB = """
import duckdb
duckdb.sql("copy (from read_json('lines.jsonl', format = 'newline_delimited')) to 'duckdb.parquet' (codec zstd)")
"""
POLARS = """
import polars
polars.read_ndjson('lines.jsonl', infer_schema_length=None).write_delta('polars')
"""

QUERIES = {
    "count the observations": "select count(*) from {view}",
    "median price by area and month": """
        select area, month, count(*), median(list_price) from {view} where list_price is not null group by all""",
    "latest state of each home": """
        select listing_id, arg_max(status, (seen_at, seq)), arg_max(list_price, (seen_at, seq))
        from {view} group by all""",
    "as of a version": "select count(*), max(seen_at) from delta_scan('{table}', version => 1)",
}


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    cpu_s: float
    memory_mb: float


def measured(*command: str) -> Cost:
    """Runs a command to its end. Its memory is the most that it had at any moment."""
    child = os.posix_spawnp(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f"lake/bench: {' '.join(command)[:80]} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)


def size(place: str) -> int:
    """The bytes of a file, or of the Parquet files below a folder."""
    path = Path(place)
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.rglob("*.parquet"))


def current(table: str) -> int:
    """The bytes of the files of a table's newest version."""
    return sum(int(size) for size in DeltaTable(table).get_add_actions(flatten=True)["size_bytes"].to_pylist())


def main(rows: int, lake: str, polars: str) -> None:
    """Prints a row for each command, and one for each query."""
    bronze = sum(file.stat().st_size for file in Path("stoop-data/lake").rglob("*.zst"))
    print(f"{rows:,} observations; in bronze {bronze / rows:.0f} bytes each\n")
    print("| command | CPU seconds | memory, MB | bytes of an observation |\n| --- | ---: | ---: | ---: |")

    def row(name: str, cost: Cost, bytes_: int) -> None:
        print(f"| {name} | {cost.cpu_s:.1f} | {cost.memory_mb:.0f} | {bytes_ / rows:.0f} |", flush=True)

    row("`stoop-lake ingest`", measured(lake, "ingest"), current(TABLE))
    row("`stoop-lake ingest --all`: nothing to add", measured(lake, "ingest", "--all"), current(TABLE))
    row("`stoop-lake maintain`", measured(lake, "maintain"), current(TABLE))
    tables = ("homes", "listing_history", "market_days", "price_changes")
    made = measured(lake, "tables")
    row("`stoop-lake tables`", made, sum(current(f"stoop-data/tables/{name}") for name in tables))
    gold = (sys.executable, "-m", "stoop_lake", "gold")
    row("`lake/gold`: the star schema and its tests", measured(*gold), size("stoop-data/star.duckdb"))
    row("`lake/gold` again", measured(*gold), size("stoop-data/star.duckdb"))
    if rows <= COMPARED_MAX:
        measured(sys.executable, "-c", LINES)
        row("DuckDB: lines to Parquet", measured(sys.executable, "-c", DUCKDB), size("duckdb.parquet"))
        row("Polars: lines to Delta", measured(polars, "-c", POLARS), size("polars"))
        print(f"\nA line has {size('lines.jsonl') / rows:.0f} bytes.")
    print("\n| seconds | `observations` | the same files without Delta |\n| --- | ---: | ---: |")
    files = ", ".join(literal(uri) for uri in DeltaTable(TABLE).file_uris())
    with connect() as connection:
        connection.execute(f"create view delta as from delta_scan('{TABLE}')")
        connection.execute(f"create view files as from read_parquet([{files}], hive_partitioning = true)")
        for name, query in QUERIES.items():
            times = ["–", "–"]
            for column, view in enumerate(("delta", "files")):
                if column == 0 or "{view}" in query:
                    began = time.perf_counter()
                    connection.execute(query.format(view=view, table=TABLE)).fetchall()
                    times[column] = f"{time.perf_counter() - began:.2f}"
            print(f"| {name} | {' | '.join(times)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
