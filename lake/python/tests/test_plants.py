"""Each test of the star schema turns red on a wrong row, and only those that the row concerns."""

from __future__ import annotations

import unittest

import duckdb

from stoop_lake import compiled
from stoop_lake.duck import connect, literal
from tests.market import star
from tests.plants import MEANING, plant_for


def copy_of_star() -> tuple[duckdb.DuckDBPyConnection, list[compiled.Test]]:
    """All tables that tests read, as tables that can be changed, and the tests."""
    tests = compiled.load(star().target)
    connection = connect()
    connection.execute(f"attach {literal(str(star().file))} as star (read_only)")
    for schema in ("gold", "staging", "lake"):
        connection.execute(f"create schema {schema}")
    for name in sorted(set().union(*(test.reads for test in tests))):
        schema, table = name.split(".")
        origin = f"delta_scan({literal(str(star().tables / table))})" if schema == "lake" else f"star.{name}"
        connection.execute(f"create table {name} as select * from {origin}")
    return connection, tests


def failing(connection: duckdb.DuckDBPyConnection, tests: list[compiled.Test], among: set[str]) -> set[str]:
    """The names of the tests that select rows, of those that read one of these tables."""
    return {
        test.name
        for test in tests
        if test.reads & among and connection.execute(f"select 1 from ({test.sql}) limit 1").fetchone()
    }


class Plants(unittest.TestCase):
    """One wrong row at a time, in a copy."""

    def test_every_wrong_row_is_found(self) -> None:
        connection, tests = copy_of_star()
        everything = set().union(*(test.reads for test in tests))
        self.assertEqual(failing(connection, tests, everything), set(), "the copy is right before anything is planted")
        self.assertEqual({test.name for test in tests if test.kind == "meaning"}, set(MEANING))
        for test in tests:
            with self.subTest(test.name):
                type_of_column = ""
                if test.column:
                    described = connection.execute(f"select typeof({test.column}) from {test.relation} limit 1")
                    row = described.fetchone()
                    self.assertIsNotNone(row, f"{test.relation} is empty: nothing can be planted")
                    type_of_column = row[0] if row else ""
                plant = plant_for(test, type_of_column)
                connection.execute("begin")
                connection.execute(plant.sql)
                found = failing(connection, tests, set(test.reads))
                connection.execute("rollback")
                self.assertEqual(found, plant.fails, plant.sql)
