"""The notebook and the worked queries, on the real data where there is some."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import unittest
from functools import cache
from pathlib import Path

from stoop_lake.duck import connect, literal
from stoop_lake.notebook import LAKE, NOTEBOOK, execute
from stoop_lake.star import Star
from tests.market import star
from tests.waits import PATIENCE_SECONDS, has_ended, processes_below, until

# In the command of what computes a notebook.
KERNEL = "ipykernel_launcher"
QUERIES = sorted(path.stem for path in (LAKE / "queries").glob("*.sql"))


@cache
def real() -> Star | None:
    """The star schema of the shared real data; None where it is not there."""
    folder = os.environ.get("STOOP_LAKE_TEST_REAL")
    if not folder:
        return None
    made = Star(Path(folder) / "tables", Path(folder) / "star.duckdb")
    if not made.file.exists():
        built = made.dbt("build")
        if not built.is_right:
            made.file.unlink(missing_ok=True)
            raise AssertionError(built.output[-8000:])
    return made


class Exploration(unittest.TestCase):
    """What an analyst runs."""

    def answers(self, on: Star, query: str) -> list[dict[str, object]]:
        sql = (LAKE / "queries" / f"{query}.sql").read_text().replace("stoop-data/tables", str(on.tables))
        with connect() as connection:
            connection.execute(f"attach {literal(str(on.file))} as star (read_only)")
            connection.execute("set search_path = 'star.gold'")
            result = connection.execute(sql)
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def pictures(self, on: Star) -> None:
        with tempfile.TemporaryDirectory() as made:
            pictures = execute(on.file, Path(made))
            self.assertEqual(len(pictures), 5)
            # A picture without answers says so.
            self.assertNotIn("These data do not tell.\\n", (Path(made) / NOTEBOOK.name).read_text())
            for picture in pictures:
                self.assertEqual(picture.read_bytes()[:4], b"\x89PNG")
                self.assertGreater(picture.stat().st_size, 5_000)

    def test_the_notebook_is_kept_without_results(self) -> None:
        cells = json.loads(NOTEBOOK.read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        self.assertEqual(len(code), 6)
        self.assertTrue(all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code))

    def test_the_notebook_answers_on_the_simulated_market(self) -> None:
        self.pictures(star())

    def test_ctrl_c_ends_the_notebook_and_its_kernel(self) -> None:
        with tempfile.TemporaryDirectory() as out:
            # What runs in the background has inherited that Ctrl-C is ignored.
            command = ["env", "--default-signal=INT", str(LAKE / "notebook"), str(star().file), out]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as notebook:

                def kernel() -> int | None:
                    self.assertIsNone(notebook.poll(), "it ended before there was a kernel")
                    # The launcher, which becomes the notebook, starts other programs, too.
                    return next((pid for pid, text in processes_below(notebook.pid) if KERNEL in text), None)

                try:
                    found = until("the kernel of the notebook", kernel)
                    # So that it cannot be done before the signal comes.
                    os.kill(found, signal.SIGSTOP)
                    notebook.send_signal(signal.SIGINT)
                    said, complained = notebook.communicate(timeout=PATIENCE_SECONDS)
                finally:
                    for pid, _ in [*processes_below(notebook.pid), (notebook.pid, "")]:
                        if notebook.poll() is None:
                            os.kill(pid, signal.SIGKILL)
        self.assertEqual((notebook.returncode, said, complained), (130, "", "lake/notebook: stopped\n"))
        until("the end of the kernel", lambda: has_ended(found))

    def test_the_notebook_answers_on_real_data(self) -> None:
        on = real()
        if on is None:
            self.skipTest("no real data in ../shared/data or STOOP_DATA")
        self.pictures(on)

    def test_every_worked_query_has_an_answer(self) -> None:
        for query in QUERIES:
            with self.subTest(query):
                self.assertGreater(len(self.answers(star(), query)), 1)

    def test_every_worked_query_has_an_answer_on_real_data(self) -> None:
        on = real()
        if on is None:
            self.skipTest("no real data in ../shared/data or STOOP_DATA")
        for query in QUERIES:
            with self.subTest(query):
                answers = self.answers(on, query)
                # Files were replayed, so there are no raw pages.
                self.assertEqual(len(answers) > 0, query != "from_figure_to_page", answers[:3])

    def test_survival_is_what_a_plain_loop_counts(self) -> None:
        with connect(star().file, read_only=True) as connection:
            moves = connection.execute("""
                select listing_id, kind, changed_on
                from gold.fct_stock_change
                order by listing_id, version_no, kind
            """).fetchall()
            sources = connection.execute("select source, last_seen_on, exits from gold.dim_source").fetchall()
        last_days = {source: day for source, day, exits in sources if exits >= 100}
        stays: dict[tuple[str, str], list[tuple[int, bool]]] = {}
        for (home, kind, day), after in zip(moves, [*moves[1:], (None, None, None)], strict=True):
            source = home.split("/")[0]
            if kind == "entry" and source in last_days:
                is_over = after[0] == home and after[1] == "exit"
                until = after[2] if is_over else max(last_days[source], day)
                stays.setdefault((source, f"{day:%Y-%m}"), []).append(((until - day).days, is_over))
        answers = self.answers(star(), "cohort_survival")
        self.assertEqual({(row["source"], row["cohort"]) for row in answers}, stays.keys())
        for answer in answers:
            of = stays[str(answer["source"]), str(answer["cohort"])]
            self.assertEqual(answer["homes"], len(of))
            for mark in (7, 14, 30, 60):
                share = 1.0
                for age in range(mark + 1):
                    at_risk = sum(days >= age for days, _ in of)
                    gone = sum(days == age and over for days, over in of)
                    share *= 1 - gone / at_risk if at_risk else 1
                found = answer[f"after_{mark}_days"]
                if max(days for days, _ in of) < mark:
                    self.assertIsNone(found)
                else:
                    self.assertAlmostEqual(float(str(found)), share, places=9)
