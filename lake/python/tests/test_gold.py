"""dbt: what it builds on Delta tables, and how it says that something is wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from deltalake import DeltaTable

from stoop_lake.duck import connect, literal
from stoop_lake.star import Star, doubt, is_unfinished, named
from stoop_lake.tables import Tables
from tests.market import star


class Gold(unittest.TestCase):
    """Runs of dbt in folders of their own."""

    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory(prefix="stoop-gold-")
        self.addCleanup(made.cleanup)
        self.folder = Path(made.name)

    def failed(self, run: Star) -> set[str]:
        """The tests that failed in the last run of dbt."""
        results = json.loads((run.target / "target" / "run_results.json").read_text())["results"]
        return {row["unique_id"].split(".")[2] for row in results if row["status"] not in ("pass", "success", "no-op")}

    def rows(self, run: Star) -> list[tuple[object, ...]]:
        with connect(run.file, read_only=True) as connection:
            columns, order = "* exclude (history_hash)", "listing_id, day, market"
            return connection.execute(f"select {columns} from gold.fct_listing_day order by {order}").fetchall()

    def test_dbt_itself_fails_on_a_wrong_row(self) -> None:
        copy = Star(star().tables, self.folder / "star.duckdb")
        shutil.copy(star().file, copy.file)
        with connect(copy.file) as connection:
            connection.execute("delete from gold.dim_source")
        done = copy.dbt("test", "--select", "dim_source", "dim_home")
        self.assertFalse(done.is_right, done.output)
        self.assertEqual(self.failed(copy), {"relationships_dim_home_source__source__ref_dim_source_"})

    def test_stale_tables_are_an_error(self) -> None:
        tables = self.folder / "tables"
        shutil.copytree(star().tables, tables)
        observations = DeltaTable(tables / "observations")
        # The copy may be changed; rows of the lake are only ever added. The newest day of the market is any day.
        observations.alter.set_table_properties({"delta.appendOnly": "false"})
        for hours, is_right in ((1, True), (30, True), (80, False)):
            seen = f"now() - interval '{hours} hours'"
            observations.update(updates={"seen_at": seen})
            done = Star(tables, self.folder / "star.duckdb").dbt("source", "freshness")
            self.assertEqual(done.is_right, is_right, f"{hours} hours: {done.output}")

    def test_a_star_schema_that_is_unfinished_or_not_of_these_tables_is_doubted(self) -> None:
        copy = self.folder / "tables"
        shutil.copytree(star().tables, copy)
        run, tables = Star(copy, self.folder / "star.duckdb"), Tables(copy)
        run.began()
        self.assertIn("unfinished", doubt(run.file, tables) or "")
        self.assertTrue(run.dbt("run", "--select", "stg_runs").is_right)
        run.ended()
        self.assertFalse(is_unfinished(run.file))
        self.assertIsNone(doubt(run.file, tables))
        self.assertIn("was built of", doubt(run.file, Tables(star().tables)) or "")
        DeltaTable(copy / "market_days").optimize.compact()
        self.assertIsNone(doubt(run.file, tables), "merged files have the same rows")
        DeltaTable(copy / "market_days").update(updates={"active": "active + 1"})
        self.assertIn("market_days last changed", doubt(run.file, tables) or "")
        # Made anew, with as many versions, in a lake whose clock ran back.
        run.began()
        run.ended()
        self.assertIsNone(doubt(run.file, tables))
        for commit in (copy / "runs" / "_delta_log").glob("*.json"):
            commit.write_text(re.sub(r'"timestamp":\d+', '"timestamp":1', commit.read_text()))
        self.assertIn("runs last changed", doubt(run.file, tables) or "")

    def test_a_model_that_was_skipped_leaves_a_star_schema_unfinished(self) -> None:
        tables = self.folder / "tables"
        shutil.copytree(star().tables, tables)
        run = Star(tables, self.folder / "star.duckdb")
        # Names that are not unique: a test of the source fails, and dbt builds nothing that is made of it.
        observations = DeltaTable(tables / "observations")
        observations.alter.set_table_properties({"delta.appendOnly": "false"})
        observations.update(updates={"observation_id": "'one'"})
        run.began()
        self.assertFalse(run.dbt("build").is_right)
        run.ended()
        self.assertTrue(is_unfinished(run.file), named(run.results(), "fail", "skipped"))

    def test_a_changed_past_is_made_anew(self) -> None:
        tables = self.folder / "tables"
        shutil.copytree(star().tables, tables)
        history = DeltaTable(tables / "listing_history")
        # What was believed before: a home that was none, homes on offer that were under contract, another price.
        home = "(listing_id = 'planted/1')"
        with connect() as connection:
            connection.execute(f"create view history as from delta_scan({literal(str(tables / 'listing_history'))})")
            found = connection.execute("select min(listing_id) from history where is_active").fetchone()
            self.assertIsNotNone(found)
        history.update(updates={"listing_id": "'planted/1'"}, predicate=f"listing_id = '{found[0] if found else ''}'")
        history.update(updates={"is_active": "true"}, predicate="status = 'Pending' and interval_no < 5")
        history.update(updates={"list_price": "list_price + 1"}, predicate="interval_no = 2")
        history.delete(f"interval_no > 6 and not {home}")
        run = Star(tables, self.folder / "star.duckdb")
        self.assertTrue(run.dbt("run").is_right)
        believed, truth = self.rows(run), self.rows(star())
        self.assertNotEqual(believed, truth)
        corrected = Star(star().tables, run.file)
        self.assertTrue(corrected.dbt("build").is_right, self.failed(corrected))
        self.assertEqual(self.rows(corrected), truth)

    def test_a_home_that_moves_west_around_midnight_is_in_both_markets_on_that_day(self) -> None:
        with connect(star().file, read_only=True) as connection:
            rows = connection.execute("""
                select market, strftime(min(day), '%m-%d'), strftime(max(day), '%m-%d') from gold.fct_listing_day
                where listing_id = 'simulated/MOVED' and day <= date '2026-03-06' group by market order by market
            """).fetchall()
        markets = ["us/il/cook/chicago/60601:sale:USD", "us/wa/king/seattle/98101:sale:USD"]
        self.assertEqual(rows, [(markets[0], "03-02", "03-04"), (markets[1], "03-04", "03-06")])

    def test_days_since_the_last_run_are_added_in_any_zone_of_the_machine(self) -> None:
        tables = self.folder / "tables"
        shutil.copytree(star().tables, tables)
        with connect(star().file, read_only=True) as connection:
            found = connection.execute("select max(last_day) - 9 from staging.stg_markets").fetchone()
        # As the tables were nine days ago: homes that are still on offer have the same versions.
        DeltaTable(tables / "market_days").delete(f"day > date '{found[0] if found else ''}'")
        run = Star(tables, self.folder / "star.duckdb")
        self.assertTrue(run.dbt("run").is_right)
        earlier, truth = self.rows(run), self.rows(star())
        self.assertLess(len(earlier), len(truth))
        later = Star(star().tables, run.file)
        with mock.patch.dict(os.environ, {"TZ": "Pacific/Auckland"}):
            self.assertTrue(later.dbt("build").is_right, self.failed(later))
        self.assertEqual(self.rows(later), truth)
        # And back again, as after a rebuild from an older database.
        self.assertTrue(run.dbt("run").is_right)
        self.assertEqual(self.rows(run), earlier)

    def test_the_lineage_leads_from_a_figure_to_the_raw_line(self) -> None:
        docs = Star(star().tables, self.folder / "star.duckdb")
        shutil.copy(star().file, docs.file)
        done = docs.dbt("docs", "generate", "--static")
        self.assertTrue(done.is_right, done.output)
        self.assertIn("first_ingested_from", (docs.target / "target" / "static_index.html").read_text())
        manifest = json.loads((docs.target / "target" / "manifest.json").read_text())
        parents: dict[str, list[str]] = manifest["parent_map"]
        found, todo = set(), ["exposure.stoop.median_price"]
        while todo:
            node = todo.pop()
            if node not in found:
                found.add(node)
                todo += parents.get(node, [])
        self.assertLessEqual({"model.stoop.dim_home", "source.stoop.lake.observations"}, found)
        described = [node["description"] for key, node in manifest["nodes"].items() if key.startswith("model.")]
        self.assertTrue(all(described), "every model says what a row is")
        # The same by its rows: each day of a home names a file of bronze that holds the line.
        with connect(star().file, read_only=True) as connection:
            files = connection.execute("""
                select distinct first_ingested_from
                from gold.fct_listing_day join gold.dim_home using (home_key)
            """).fetchall()
        self.assertTrue(files)
        for (file,) in files:
            self.assertTrue(file == "outbox" or self.bronze_file(str(file)), file)

    def test_a_version_of_a_home_leads_to_the_page_that_showed_it(self) -> None:
        with connect(star().file, read_only=True) as connection:
            # Replays have no pages, and runs that are not kept have none any more.
            rows = connection.execute("""
                select home.listing_id, list(distinct page.path)
                from gold.dim_home as home
                inner join (select source, min(seen_at) as since from gold.fct_raw_page group by source) as polled
                    on polled.source = home.source and home.first_seen_at >= polled.since
                left join gold.fct_raw_page as page on page.source = home.source and page.seen_at = home.first_seen_at
                where home.status <> 'Gone'
                group by home.home_key, home.listing_id
                order by home.home_key
            """).fetchall()
        self.assertGreater(len(rows), 100)
        self.assertEqual([home for home, pages in rows if pages == [None]], [])
        texts: dict[str, str] = {}
        looked_at = 0
        for home, pages in rows:
            # `prune` removes pages before their runs.
            kept = [page for page in pages if (star().tables.parent / page).is_file()]
            texts |= {page: self.page(star().tables.parent / page) for page in kept if page not in texts}
            if len(kept) == len(pages):
                looked_at += 1
                native_id = f'"{home.split("/", 1)[1]}"'
                self.assertTrue(any(native_id in texts[page] for page in kept), f"{home} is in none of {kept}")
        self.assertGreater(looked_at, 50)

    def page(self, file: Path) -> str:
        """The text of a raw page."""
        lines = (
            "columns = {'line': 'varchar'}, header = false, delim = '', quote = '', escape = '', auto_detect = false"
        )
        read = f"read_csv({literal(str(file))}, {lines}, compression = 'zstd', max_line_size = 20000000)"
        with connect() as connection:
            found = connection.execute(f"select string_agg(line, chr(10)) from {read}").fetchone()
        return str(found[0]) if found else ""

    def bronze_file(self, name: str) -> bool:
        """Whether bronze has a file of this name."""
        bronze = star().bronze
        return bronze is not None and any(bronze.glob(f"dt=*/{Path(name).name}"))
