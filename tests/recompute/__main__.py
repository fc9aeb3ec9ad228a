"""Recomputes Stoop's figures with exact prices and plain loops, and compares: see README.md."""

import argparse
import os
import re
import sys
import tempfile
from collections import defaultdict
from datetime import datetime, timezone

import catalogue
import compare_days
import compare_homes
import made
import rows
from compare import Area, Comparison, Tally, day_number
from events import HOUR, Markets
from history import History
from stoop import Stoop

ZONES = {"us": "America/New_York", "us/wa": "America/Los_Angeles", "us/or": "America/Los_Angeles",
         "us/il": "America/Chicago", "ma": "Africa/Casablanca"}


def markets_of(all_rows):
    """The events of all homes."""
    zones = rows.Zones(ZONES)
    markets = Markets(lambda market, time: zones.day(market[0], time))
    by_home = defaultdict(list)
    for row in all_rows:
        by_home[row.home].append(row)
    histories = {}
    for home, own in by_home.items():
        histories[home] = History(own)
        markets.add(home, histories[home])
    return markets, histories


def paths_of(markets):
    paths = {}
    for market, _ in markets.parts:
        parts = market[0].split("/")
        for length in range(1, len(parts) + 1):
            paths.setdefault("/".join(parts[:length]), set()).add(market[1])
    return paths


def compare_areas(tally, stoop, markets, newest, moments, days):
    promised, stocks = catalogue.read(), compare_homes.Stocks(markets)
    for path, purposes in sorted(paths_of(markets).items()):
        areas = {purpose: Area(path, purpose, markets) for purpose in purposes}
        for moment in moments:
            answer = stoop.market(path, days=days, as_of=moment)
            for theirs in answer["markets"]:
                area = areas[theirs["purpose"]]
                hour = rows.rfc3339(moment) // HOUR
                comparison = Comparison(tally, promised, area, moment, newest // HOUR)
                day = day_number(theirs["day"])
                comparison.all_segments(theirs, day, hour)
                compare_days.compare_days(comparison, theirs)
                compare_days.compare_changes(comparison, theirs, day)
                compare_days.compare_unusual(comparison, theirs, day)
            if "sale" in purposes:
                compare_homes.compare_yields(tally, stocks, path, moment, answer["yields"], day)


def compare_homes_of(tally, stoop, markets, histories, newest):
    """All homes on offer, country by country."""
    zones, stocks = rows.Zones(ZONES), compare_homes.Stocks(markets)
    for country in sorted(path for path in paths_of(markets) if "/" not in path):
        compare_homes.compare_homes(tally, stocks, histories, stoop.homes(country), "now",
                                    lambda path: zones.day(path, newest))


def made_input(tally, program, folder, homes, seed, moments):
    first, late = made.make(homes, seed)
    for name, part in (("made.jsonl", first), ("late.jsonl", late)):
        made.write(os.path.join(folder, name), part)
    with open(os.path.join(folder, "made.toml"), "w", encoding="utf-8") as file:
        file.write(made.MAP)
    stoop = Stoop(program, os.path.join(folder, "made.db"))
    for name in ("made.jsonl", "late.jsonl"):
        stoop.replay(os.path.join(folder, "made.toml"), os.path.join(folder, name))
    all_rows = rows.of_made(first, made.PLACES) + rows.of_made(late, made.PLACES)
    markets, histories = markets_of(all_rows)
    newest = max(row.time for row in all_rows)
    print(f"made: {len(all_rows):,} rows of {homes:,} homes")
    compare_areas(tally, stoop, markets, newest, moments, 30)
    compare_homes_of(tally, stoop, markets, histories, newest)


def main():
    parser = argparse.ArgumentParser(prog="recompute", description=__doc__)
    parser.add_argument("stoop", help="the program")
    parser.add_argument("--homes", type=int, default=6000, help="random homes to make")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="a folder for the files, which are kept")
    arguments = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="recompute-") as folder:
        if arguments.keep:
            folder = arguments.keep
            os.makedirs(folder, exist_ok=True)
        made_input(tally, os.path.abspath(arguments.stoop), folder, arguments.homes, arguments.seed,
                   ["2026-03-08T20:30:00Z", "2026-01-20T20:30:00Z", "2025-08-01T20:30:00Z"])
    report(tally)
    return 1 if tally.wrong else 0


def report(tally):
    for (kind, level), errors in sorted(tally.errors.items()):
        errors.sort()
        print(f"  {kind}, {level}: {len(errors):,} cases, half within {errors[len(errors) // 2]:.3%}, "
              f"95 % within {errors[int(len(errors) * 0.95)]:.3%}, all within {errors[-1]:.3%}")
    kinds = defaultdict(int)
    for difference in tally.wrong:
        kinds[re.sub(r"days \d{4}.*: ", "days: ", difference[2]).split(": ", 1)[-1]] += 1
    for kind, count in sorted(kinds.items(), key=lambda pair: -pair[1])[:40]:
        print(f"  {count:6} {kind}")
    for area, moment, figure, ours, theirs, allowed in tally.wrong[:int(os.environ.get("SHOW", 20))]:
        print(f"{area} {moment} {figure}: ours {ours}, theirs {theirs}, allowed {allowed:g}")
    print(f"recompute: {tally.compared:,} figures compared, {len(tally.wrong):,} wrong")


if __name__ == "__main__":
    sys.exit(main())
