"""`lake/versions`: the versions of the tables, for engines that travel by version only."""

from __future__ import annotations

import sys
from argparse import Namespace

from stoop_lake import show
from stoop_lake.tables import Tables

COLUMNS = ("table", "version", "committed_at", "operation", "rows_added")


def run(args: Namespace) -> None:
    """Prints each version of each table that its log still has."""
    tables = Tables(args.tables)
    for name in args.table:
        tables.path(name)
    rows = [
        (name, version.number, version.committed_at, version.operation, version.rows_added)
        for name in args.table or tables.names
        for version in tables.versions(name)
    ]
    if args.csv:
        show.write_csv(sys.stdout, COLUMNS, [rows])
    elif args.json:
        show.write_json(sys.stdout, COLUMNS, [rows])
    else:
        show.table(sys.stdout, COLUMNS, rows)
