"""dbt: what it builds on Delta tables, and how it says that something is wrong."""

from __future__ import annotations

import json
import shutil
import tempfile
import unittest
from pathlib import Path

from deltalake import DeltaTable

from stoop_lake.duck import connect, literal
from stoop_lake.gold import Star
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
            columns = "* exclude (history_hash)"
            return connection.execute(f"select {columns} from gold.fct_listing_day order by listing_id, day").fetchall()

    def test_dbt_itself_fails_on_a_wrong_row(self) -> None:
        copy = Star(star().tables, self.folder / "star.duckdb")
        shutil.copy(star().file, copy.file)
        with connect(copy.file) as connection:
            connection.execute("delete from gold.dim_source")
        done = copy.dbt("test", "--select", "dim_source", "dim_home", quiet=True)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(self.failed(copy), {"relationships_dim_home_source__source__ref_dim_source_"})

    def test_stale_tables_are_an_error(self) -> None:
        tables = self.folder / "tables"
        shutil.copytree(star().tables, tables)
        stale = Star(tables, self.folder / "star.duckdb")
        done = stale.dbt("source", "freshness", quiet=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        observations = DeltaTable(tables / "observations")
        # The copy may be changed; rows of the lake are only ever added.
        observations.alter.set_table_properties({"delta.appendOnly": "false"})
        observations.update(updates={"ingested_at": "ingested_at - interval '4 days'"})
        done = stale.dbt("source", "freshness", quiet=True)
        self.assertEqual(done.returncode, 1, done.stdout)

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
        self.assertEqual(run.dbt("run", quiet=True).returncode, 0)
        believed, truth = self.rows(run), self.rows(star())
        self.assertNotEqual(believed, truth)
        corrected = Star(star().tables, run.file)
        self.assertEqual(corrected.dbt("build", quiet=True).returncode, 0, self.failed(corrected))
        self.assertEqual(self.rows(corrected), truth)

    def test_the_lineage_leads_from_a_figure_to_the_raw_line(self) -> None:
        docs = Star(star().tables, self.folder / "star.duckdb")
        shutil.copy(star().file, docs.file)
        done = docs.dbt("docs", "generate", "--static", quiet=True)
        self.assertEqual(done.returncode, 0, done.stdout)
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

    def bronze_file(self, name: str) -> bool:
        """Whether bronze has a file of this name."""
        bronze = star().bronze
        return bronze is not None and any(bronze.glob(f"dt=*/{Path(name).name}"))
