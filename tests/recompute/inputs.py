"""The inputs: random homes, and the real sets where they are there. Each gives a database, its homes and the moments."""

import glob
import os
import random
from datetime import timedelta

import catalogue
import made
import rows
from stoop import Stoop

MAPS = os.path.join(catalogue.ROOT, "maps")


class Input:
    """`large`: more moments, at which only areas with 500 homes or more are compared."""

    def __init__(self, name, stoop, all_rows, moments, days, large=()):
        self.name, self.stoop, self.rows, self.moments, self.days, self.large = name, stoop, all_rows, moments, days, large
        self.newest = max(row.time for row in all_rows)


def write_map(folder):
    path = os.path.join(folder, "made.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(made.MAP)
    return path


def random_homes(program, folder, homes, seed, moments):
    first, late = made.make(homes, seed)
    stoop, map_ = Stoop(program, os.path.join(folder, "made.db")), write_map(folder)
    for name, part in (("made.jsonl", first), ("late.jsonl", late)):
        made.write(os.path.join(folder, name), part)
        stoop.replay(map_, os.path.join(folder, name))
    all_rows = rows.of_made(first, made.PLACES) + rows.of_made(late, made.PLACES)
    return Input("random homes", stoop, all_rows, moments, 30)


def paths(stoop, level=None):
    return [row["path"] for row in (stoop.markets() if level is None else stoop.markets(level=level))]


def king_county(program, folder, data):
    file = os.path.join(data, "us-kc-house-sales-2014", "kc_house_data.csv.gz")
    stoop = Stoop(program, os.path.join(folder, "kc.db"))
    stoop.replay(os.path.join(MAPS, "kc-house-sales.toml"), file)
    by_code = {path.split("/")[-1]: path for path in paths(stoop)}
    all_rows = rows.of_king_county(file, by_code)
    return Input("us-kc-house-sales-2014", stoop, all_rows, ["2014-09-15T20:30:00Z", "2015-05-20T20:30:00Z"], 3)


def king_county_on_offer(program, folder, data, seed):
    """Real prices as a stock: each sold home of King County was on offer for some weeks, at its price."""
    file = os.path.join(data, "us-kc-house-sales-2014", "kc_house_data.csv.gz")
    by_code = {path.split("/")[-1]: path for path in paths(Stoop(program, os.path.join(folder, "kc.db")))}
    random_, listed = random.Random(seed), []
    places = {code: ("/".join(path.split("/")[:-1]),) for code, path in by_code.items()}
    for number, row in enumerate(rows.of_king_county(file, by_code)):
        facts = row.facts
        state = {"id": f"k{number}", "purpose": "sale", "zip": facts.market[0].split("/")[-1], "type": facts.kind,
                 "beds": facts.beds, "area": facts.area, "original": None, "listed": None, "close_price": None,
                 "close_date": None, "price": facts.close_price // 100}
        start = row.time - random_.randrange(20 * 86_400, 110 * 86_400) * 1000
        listed.append({"at": made.text(start), **state, "status": "Active"})
        listed.append({"at": made.text(row.time), **state, "status": "Closed", "close_price": facts.close_price // 100,
                       "close_date": (rows.EPOCH + timedelta(days=facts.close_date)).date().isoformat()})
    path = os.path.join(folder, "kc-on-offer.jsonl")
    made.write(path, listed)
    stoop = Stoop(program, os.path.join(folder, "kc-on-offer.db"))
    stoop.replay(write_map(folder), path)
    moments = [f"2014-{month:02}-20T20:30:00Z" for month in (8, 11)] + ["2015-02-20T20:30:00Z"]
    large = [f"2014-{month:02}-{day}T20:30:00Z" for month in (9, 10, 12) for day in ("04", 13, 26)]
    large += [f"2015-{month:02}-{day}T20:30:00Z" for month in (1, 3) for day in ("07", 17, 28)]
    return Input("King County's prices as a stock", stoop, rows.of_made(listed, places), moments, 3, large)


def zillow(program, folder, data):
    file = os.path.join(data, "us-zillow-1000-price-history", "price_history.csv.gz")
    stoop = Stoop(program, os.path.join(folder, "zillow.db"))
    stoop.replay(os.path.join(MAPS, "zillow-price-history.toml"), file)
    all_rows = rows.of_zillow(file, paths(stoop)[0])
    return Input("us-zillow-1000-price-history", stoop, all_rows, ["2024-07-30T20:30:00Z", "2023-06-15T20:30:00Z"], 30)


def avito(program, folder, data):
    files = sorted(glob.glob(os.path.join(data, "ma-avito-2024", "*.json")))
    stoop = Stoop(program, os.path.join(folder, "avito.db"))
    stoop.replay(os.path.join(MAPS, "avito-2024.toml"), *files)
    markets = {row["id"]: row["market"].split(":")[0] for row in stoop.homes("ma")}

    def market_then(home, seen):
        intervals = stoop.json("home", home)["intervals"]
        return next(one["market"].split(":")[0] for one in reversed(intervals) if rows.rfc3339(one["first_seen"]) <= seen)

    all_rows = rows.of_avito(files, markets, market_then)
    return Input("ma-avito-2024", stoop, all_rows, ["2024-11-30T20:20:00Z", "2024-11-20T12:00:00Z"], 7)
