"""The commands: `python -m stoop_lake sql|export|versions|gold|notebook`; lake/sql and its neighbours call them."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction
from collections.abc import Callable

from stoop_lake.errors import LakeError

TABLES = "folder of the tables, or a place in a bucket [default: $STOOP_TABLES, or stoop-data/tables]"


def parser() -> ArgumentParser:
    """All commands and their options."""
    root = ArgumentParser(prog="python -m stoop_lake", description="SQL over the tables of the lake.")
    commands = root.add_subparsers(dest="command", required=True)

    sql = _command(commands, "sql", "Run one query; each table of the folder is a view of its name.")
    sql.add_argument("query", help="a query; - reads it from standard input")
    _moment(sql)
    _form(sql)
    sql.add_argument("--gold", metavar="FILE", help="also the tables of the star schema that lake/gold made in FILE")
    sql.add_argument("--limit", type=_count, default=100, help="rows of the table to show [default: 100]")

    export = _command(commands, "export", "Write tables to a new folder or file.")
    export.add_argument("format", choices=("parquet", "csv", "duckdb"))
    export.add_argument("target", help="a folder to make; for duckdb a file")
    export.add_argument("table", nargs="*", help="tables [default: all]")
    _moment(export)

    versions = _command(commands, "versions", "List the versions of tables.")
    versions.add_argument("table", nargs="*", help="tables [default: all]")
    _form(versions)

    gold = _command(commands, "gold", "Build the star schema with dbt and test it.")
    gold.add_argument("--star", metavar="FILE", help="DuckDB file to build [default: star.duckdb beside the tables]")
    gold.add_argument("--full-refresh", action="store_true", help="make every row anew")
    gold.add_argument("--freshness", action="store_true", help="also fail if the newest observation is too old")
    memory = (
        "the most memory for DuckDB, such as 4GB; the rest goes to the disk [default: four fifths of the machine's]"
    )
    gold.add_argument("--memory", metavar="SIZE", type=_memory, help=memory)
    gold.add_argument("--verbose", action="store_true", help="print all that dbt says")
    gold.add_argument("--docs", action="store_true", help="also write dbt's documentation, with the lineage")

    notebook = _command(commands, "notebook", "Run the notebook and keep its pictures.")
    notebook.add_argument("star", help="the star schema that lake/gold made")
    notebook.add_argument("out", help="folder for the notebook with its results, and its pictures")
    return root


def main(arguments: list[str]) -> int:
    """Runs a command; a mistake is one message and exit code 1."""
    args = parser().parse_args(arguments)
    try:
        _function(args.command)(args)
        sys.stdout.flush()
    except LakeError as error:
        print(f"lake/{args.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has what it wanted (`| head`).
        sys.stderr.close()
    except KeyboardInterrupt:
        print(f"lake/{args.command}: stopped", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"lake/{args.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _memory(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]*(MB|GB)", text):
        raise ArgumentTypeError(f"{text} is no size; a number with MB or GB is accepted")
    return text


def _function(command: str) -> Callable[[Namespace], None]:
    # Imported late: each command starts with what it needs only.
    if command == "sql":
        from stoop_lake.query import run
    elif command == "export":
        from stoop_lake.export import run
    elif command == "notebook":
        from stoop_lake.notebook import run
    elif command == "gold":
        from stoop_lake.gold import run
    else:
        from stoop_lake.versions import run
    return run


def _command(commands: _SubParsersAction[ArgumentParser], name: str, text: str) -> ArgumentParser:
    made: ArgumentParser = commands.add_parser(name, help=text, description=text, prog=f"lake/{name}")
    made.add_argument("--tables", metavar="DIR|URL", help=TABLES)
    return made


def _moment(command: ArgumentParser) -> None:
    which = command.add_mutually_exclusive_group()
    which.add_argument("--as-of", metavar="TIME", help="the tables as they were then: 2026-03-01, 2026-03-01T12:00:00Z")
    which.add_argument("--version", type=int, metavar="N", help="this version of each table; lake/versions lists them")


def _form(command: ArgumentParser) -> None:
    form = command.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV, all rows")
    form.add_argument("--json", action="store_true", help="print JSON, all rows")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
