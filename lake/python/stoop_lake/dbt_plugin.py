"""Lets dbt read Delta tables offline: profiles.yml names this module."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from stoop_lake.duck import prepare


class Plugin(BasePlugin):
    """Prepares each connection that dbt opens."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Loads the delta extension."""
        prepare(conn)

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """A cursor has the zone of the machine, not that of its connection."""
        cursor.execute("set TimeZone = 'UTC'")
