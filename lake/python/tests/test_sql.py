"""lake/sql, lake/versions and lake/export, as a person starts them."""

from __future__ import annotations

import csv
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

from stoop_lake.duck import extension
from stoop_lake.notebook import LAKE
from tests.market import data, star


def lake(
    command: str, *arguments: str, tables: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs lake/COMMAND on the market's tables."""
    env = os.environ | {"STOOP_TABLES": str(tables or data() / "tables")} | variables
    return subprocess.run([LAKE / command, *arguments], env=env, capture_output=True, text=True, check=False)


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
            connection.execute(f"load '{extension('delta')}'")
            answer = connection.execute(query.replace("stoop-data/", f"{data()}/")).fetchall()
            seen = connection.execute(
                "select area_name, month, currency, listing_id, list_price"
                f" from delta_scan('{data()}/tables/observations')"
                " where status = 'Active' and purpose = 'sale' and list_price is not null order by seen_at"
            ).fetchall()
        last = {row[:4]: row[4] for row in seen}
        prices: dict[tuple[str, str, str], list[float]] = {}
        for (zip_code, month, currency, _), price in last.items():
            prices.setdefault((zip_code, month, currency), []).append(float(price))
        self.assertGreater(len(prices), 5)
        self.assertEqual(
            {tuple(row[:3]): (row[3], float(row[4])) for row in answer},
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
