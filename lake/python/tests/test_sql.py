"""lake/sql, lake/versions and lake/export, as a person starts them."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import unittest
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from stoop_lake.duck import connect, extension
from stoop_lake.notebook import LAKE
from stoop_lake.query import cause
from tests.market import data, star
from tests.waits import LONG_SECONDS


def lake(
    command: str, *arguments: str, tables: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs lake/COMMAND on the market's tables."""
    env = os.environ | {"STOOP_TABLES": str(tables or data() / "tables")} | variables
    return subprocess.run(
        [LAKE / command, *arguments], env=env, capture_output=True, text=True, check=False, timeout=LONG_SECONDS
    )


class Sql(unittest.TestCase):
    """Queries and what is said about wrong ones."""

    def said(self, done: subprocess.CompletedProcess[str]) -> str:
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.args)
        return done.stdout

    def refused(self, done: subprocess.CompletedProcess[str], *words: str) -> None:
        self.assertEqual(done.returncode, 1, done.stdout)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_every_table_is_a_view(self) -> None:
        names = [path.parent.name for path in (data() / "tables").glob("*/_delta_log")]
        self.assertIn("observations", names)
        for name in names:
            counted = json.loads(self.said(lake("sql", f"select count(*) as n from {name}", "--json")))
            self.assertEqual(counted[0]["n"], DeltaTable(data() / "tables" / name).count(), name)

    def test_no_column_needs_quotes(self) -> None:
        with connect() as connection:
            for folder in (data() / "tables").iterdir():
                table = f"delta_scan('{folder}')"
                for column, *_ in connection.execute(f"describe from {table}").fetchall():
                    connection.execute(f"select {column}, max({column}) from {table} group by {column} limit 0")

    def test_a_table_for_people(self) -> None:
        query = r"select 1234567.50::decimal(18,3) as price, null as nothing, e'a\x1b[31m\nb' as text, true as flag"
        self.assertEqual(
            self.said(lake("sql", query)),
            "      price  nothing  text      flag\n" + "─" * 36 + "\n1,234,567.5  –        a [31m b  yes\n",
        )

    def test_more_rows_than_fit(self) -> None:
        said = self.said(lake("sql", "from range(250)", "--limit", "3"))
        self.assertIn("… and 247 more; --limit shows more, --csv and --json all", said)
        self.assertEqual(len(json.loads(self.said(lake("sql", "from range(250)", "--json")))), 250)

    def test_csv_for_spreadsheets(self) -> None:
        said = self.said(lake("sql", """select '=1+1' as a, 'x"y' as b, null as c, 0.10::decimal(9,2) as d""", "--csv"))
        self.assertEqual(next(csv.reader(io.StringIO(said.split("\n", 1)[1]))), ["'=1+1", 'x"y', "", "0.10"])

    def test_json_loses_nothing(self) -> None:
        query = (
            "select 1 as a, 2 as a, 'inf'::double as b, 123456789012345.678::decimal(18,3) as c,"
            " 0.1::decimal(9,2) as d, 'ab'::blob as e, ['x', 'y'] as f"
        )
        (row,) = json.loads(self.said(lake("sql", query, "--json")))
        expected = {"a": 1, "a_2": 2, "b": None, "c": "123456789012345.678", "d": 0.1, "e": "6162", "f": ["x", "y"]}
        self.assertEqual(row, expected)
        self.assertIn('"[""x"", ""y""]"', self.said(lake("sql", query, "--csv")))

    def test_a_mistake_in_a_late_row_is_one_message(self) -> None:
        query = "select (case when i = 400000 then 'x' else '1' end)::integer as n from range(500000) as rows(i)"
        for form in ("--json", "--csv"):
            self.refused(lake("sql", query, form), "Could not convert string 'x'")
        # DuckDB says now and then only that a thread was interrupted, since another one failed.
        with connect() as connection:
            self.assertIn("Could not convert string 'x'", str(cause(connection, query)))
            self.assertIsNone(cause(connection, "select 1"))

    def test_errors_name_tables_and_columns(self) -> None:
        self.refused(lake("sql", "from observation"), "tables: ", "observations", "listing_history")
        self.refused(lake("sql", "select zip from observations"), "columns of observations: ", "area_name")
        self.refused(lake("sql", "selec 1"), "LINE 1")
        self.refused(lake("sql", "select 1", tables=Path("nowhere")), "no folder nowhere", "--tables DIR")
        self.refused(lake("sql", "select 1", tables=LAKE / "queries"), "no Delta table in")
        self.refused(lake("sql", "select 1", "--as-of", "soon"), "--as-of soon", "2026-03-01")
        self.refused(lake("sql", "from observations", "--version", "999999"), "table observations: no version 999999")
        self.refused(
            lake("sql", "from observations", "--as-of", "2001-01-01"), "no version as of 2001-01-01 00:00:00 UTC"
        )
        self.refused(lake("versions", "nothing"), "no table nothing", "observations")
        self.refused(lake("export", "parquet", str(LAKE)), "exists; name a new one")

    def test_travel_in_time(self) -> None:
        with tempfile.TemporaryDirectory() as made:
            table = DeltaTable(data() / "tables" / "market_days")
            copy = Path(made) / "tables" / "market_days"
            shutil.copytree(data() / "tables" / "market_days", copy)
            count = "select count(*) as n, sum(active) as active from market_days"
            before = self.said(lake("sql", count, "--json", tables=copy.parent))
            time.sleep(0.01)
            then = datetime.now(UTC).isoformat()
            time.sleep(0.01)
            DeltaTable(copy).update(updates={"active": "active + 1"})
            number = DeltaTable(copy).version()
            self.assertEqual(number, table.version() + 1)
            self.assertNotEqual(self.said(lake("sql", count, "--json", tables=copy.parent)), before)
            self.assertEqual(self.said(lake("sql", count, "--json", "--as-of", then, tables=copy.parent)), before)
            self.assertEqual(
                self.said(lake("sql", count, "--json", "--version", str(number - 1), tables=copy.parent)), before
            )
            listed = json.loads(self.said(lake("versions", "market_days", "--json", tables=copy.parent)))
            self.assertEqual((listed[-1]["version"], listed[-1]["operation"]), (number, "UPDATE"))

    def test_export_keeps_every_row(self) -> None:
        with tempfile.TemporaryDirectory() as made:
            sources = {
                "parquet": "read_parquet('{target}/{name}.parquet')",
                "csv": "read_csv('{target}/{name}.csv', sample_size = -1)",
                "duckdb": "exported.{name}",
            }
            names = [path.parent.name for path in (data() / "tables").glob("*/_delta_log")]
            for form, source in sources.items():
                target = Path(made) / form
                self.said(lake("export", form, str(target)))
                self.assertEqual([path.name for path in Path(made).glob(".*")], [], "nothing unfinished is left")
                with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
                    connection.execute(f"load '{extension('delta')}'")
                    if form == "duckdb":
                        connection.execute(f"attach '{target}' as exported (read_only)")
                    for name in names:
                        exported = source.format(target=target, name=name)
                        delta = f"delta_scan('{data() / 'tables' / name}')"
                        counts = connection.execute(
                            f"select (select count(*) from {exported}), (select count(*) from {delta})"
                        ).fetchone()
                        self.assertEqual(len(set(counts or ())), 1, f"{form} {name}: {counts}")
                    if form != "csv":
                        both = f"from {source.format(target=target, name='observations')}"
                        delta = f"from delta_scan('{data() / 'tables' / 'observations'}')"
                        self.assertIsNone(connection.execute(f"({both}) except ({delta})").fetchone())

    def test_duckdb_alone_knows_the_median_by_zip_and_month(self) -> None:
        query = (LAKE / "queries" / "median_price.sql").read_text()
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
            connection.execute(f"load '{extension('delta')}'; set TimeZone = 'Pacific/Auckland'")
            answer = connection.execute(query.replace("stoop-data/", f"{data()}/")).fetchall()
            seen = connection.execute(
                "select area, epoch_ms(seen_at), currency, listing_id, list_price"
                f" from delta_scan('{data()}/tables/observations')"
                " where status = 'Active' and purpose = 'sale' and list_price is not null order by seen_at, seq"
            ).fetchall()
        last = {
            (area, f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m}", currency, home): price
            for area, ms, currency, home, price in seen
        }
        prices: dict[tuple[str, str, str], list[float]] = {}
        for (area, month, currency, _), price in last.items():
            prices.setdefault((area, month, currency), []).append(float(price))
        self.assertGreater(len(prices), 5)
        self.assertEqual(
            {(row[0], row[3], row[4]): (row[5], float(row[6])) for row in answer},
            {key: (len(of), statistics.median(of)) for key, of in prices.items()},
        )

    def test_a_bucket_needs_keys_that_open_it(self) -> None:
        # That a bucket is read is a part of the stack's test, which has one.
        nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "secret"}
        place = "s3://lake/tables"
        without = lake("sql", "select 1", "--tables", place, **nowhere)
        self.refused(without, "AWS_ACCESS_KEY_ID in the environment", "aws configure export-credentials")
        closed = lake("sql", "select 1", "--tables", place, **nowhere | {"AWS_ACCESS_KEY_ID": "key"})
        self.refused(closed, f"{place} cannot be listed")

    def test_the_versions_that_are_recorded_are_those_of_the_logs(self) -> None:
        listed = json.loads(self.said(lake("versions", "--json")))
        columns = ("version", "committed_at", "operation", "rows_added")
        in_the_logs = {(row["table"], *(row[column] for column in columns)) for row in listed}
        query = f"select table_name, {', '.join(columns)} from versions"
        rows = json.loads(self.said(lake("sql", query, "--json")))
        recorded = [(row["table_name"], *(row[column] for column in columns)) for row in rows]
        self.assertEqual(len(recorded), len(set(recorded)))
        self.assertEqual(set(recorded), {version for version in in_the_logs if version[0] != "versions"})
        self.assertIn(("market_days", 0), {version[:2] for version in recorded})

    def test_duckdb_alone_reads_the_version_of_a_moment(self) -> None:
        text = (LAKE.parent / "docs" / "LAKE.md").read_text()
        shown = text[text.index("set variable number") :].split("```")[0].replace("stoop-data", str(data()))
        with connect() as connection:
            first = "select min(committed_at) from delta_scan('{}') where table_name = 'observations' and version = 1"
            at = connection.execute(first.format(data() / "tables" / "versions")).fetchall()[0][0]
            march = "< '2026-03-01 00:00:00+00'"
            self.assertIn(march, shown)
            for words, rows in ((f"<= '{at.isoformat()}'", 1), (f"< '{at.isoformat()}'", 0)):
                counted = connection.execute(shown.replace(march, words)).fetchall()[0][0]
                self.assertEqual(counted > 0, rows > 0, words)
            with self.assertRaisesRegex(duckdb.Error, "no version is so old"):
                connection.execute(shown.replace(march, "< '2001-01-01 00:00:00+00'"))

    def test_the_star_schema_is_as_it_was_built(self) -> None:
        star_file = str(star().file)
        self.refused(
            lake("sql", "from dim_home", "--gold", star_file, "--version", "0"), "--gold is as lake/gold built it"
        )
        self.refused(lake("sql", "from fct_sale"), "a table of the star schema: --gold")
        self.assertTrue(self.said(lake("sql", "from homes where false")).endswith("no rows\n"))

    def test_gold_says_what_it_lacks(self) -> None:
        with tempfile.TemporaryDirectory() as made:
            some = Path(made) / "o'brien" / "tables"
            for name in ("observations", "bronze", "quarantine"):
                shutil.copytree(data() / "tables" / name, some / name)
            self.refused(lake("gold", tables=some), "lacks the tables alerts, listing_history", "`stoop-lake tables`")
            for name in ("alerts", "listing_history", "market_days", "price_changes", "raw_pages", "runs"):
                shutil.copytree(data() / "tables" / name, some / name)
            self.refused(lake("gold", tables=some), "o'brien", "has ' in it", "use another folder")
            plain = some.rename(Path(made) / "tables")
            with (Path(made) / "star.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.refused(lake("gold", tables=plain), "another lake/gold is building")

    def test_gold_says_what_it_made_and_which_tests_are_red(self) -> None:
        with tempfile.TemporaryDirectory() as made:
            tables = Path(made) / "tables"
            shutil.copytree(data() / "tables", tables)
            file = Path(made) / "some star.duckdb"
            said = self.said(lake("gold", "--star", str(file), tables=tables))
            with connect(file, read_only=True) as connection:
                rows = connection.execute("select count(*) from gold.fct_listing_day").fetchall()[0][0]
                last = connection.execute(
                    f"select max(changed_at) from delta_scan('{tables}/price_changes')"
                ).fetchall()[0][0]
            self.assertRegex(said, rf"\nfct_listing_day +{rows:,}\n")
            self.assertRegex(said, r"\n\d\d+ tests passed\n")
            self.assertTrue(said.endswith(f"star schema: {file.resolve()}\n"), said)
            removed = DeltaTable(tables / "price_changes").delete(f"changed_at = '{last.isoformat()}'")
            self.assertGreater(removed["num_deleted_rows"], 0)
            red = lake("gold", "--star", str(file), tables=tables)
            self.refused(red, "tests found wrong rows: ", "price_changes_equal_history", "Got ")
            self.assertNotIn(" PASS ", red.stderr)

    def test_setup_removes_no_folder_of_others(self) -> None:
        with tempfile.TemporaryDirectory() as made:
            (Path(made) / "precious").write_text("mine")
            self.refused(lake("setup", STOOP_LAKE_VENV=made), "no virtual environment and not empty")
            self.assertTrue((Path(made) / "precious").exists())

    def test_the_star_schema_beside_the_tables(self) -> None:
        query = "select count(*) as n from fct_listing_day join dim_home using (home_key)"
        counted = json.loads(self.said(lake("sql", query, "--json", "--gold", str(star().file))))
        self.assertGreater(counted[0]["n"], 0)
        self.refused(
            lake("sql", "select 1", "--gold", "nothing.duckdb"), "no star schema in nothing.duckdb", "lake/gold"
        )
        self.refused(
            lake("sql", "select no from fct_sale", "--gold", str(star().file)), "columns of fct_sale: ", "sold_on"
        )
