"""DuckDB connections that read Delta tables offline."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb

from stoop_lake.errors import LakeError

# Nothing is ever fetched.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def extension(name: str) -> Path:
    """The file of an extension of DuckDB, as installed from `duckdb-extension-NAME`."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    # The version is checked here: DuckDB's own message about another one does not say what to do.
    file = folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not file.is_file():
        raise LakeError(f"no {name} extension for DuckDB {duckdb.__version__} in this Python; run lake/setup")
    return file


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `delta_scan` known to a connection, and its times those of UTC on every machine."""
    connection.execute(f"load '{extension('delta')}'")
    connection.execute("set TimeZone = 'UTC'")


def connect(database: str | Path = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection that reads Delta tables and fetches nothing."""
    connection = duckdb.connect(str(database), read_only=read_only, config=CONFIG)
    prepare(connection)
    return connection


def memory_limit() -> str:
    """The most memory that DuckDB takes on this machine: four fifths of it."""
    with duckdb.connect() as connection:
        return str(connection.execute("select current_setting('memory_limit')").fetchall()[0][0])


def quoted(name: str) -> str:
    """An identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string in SQL."""
    return "'" + text.replace("'", "''") + "'"
