"""Compares yields of areas, and homes against homes of their kind."""

import pooling
from compare import Area, segment_of
from rows import rfc3339

# Pooled estimates come from medians within 0.1 % and the outer ends of intervals; no figure of the catalogue.
POOLED = 0.005


def levels_of(path):
    """An area, its city and its county, where they are known; a region or country stands alone."""
    parts = path.split("/")
    return [path] + ["/".join(parts[:length]) for length in range(len(parts) - 1, 2, -1) if parts[length - 1] != "-"]


class Stocks:
    """Prices of areas by kind, computed once."""

    def __init__(self, markets):
        self.markets, self.known = markets, {}

    def levels(self, path):
        """An area, and those around it that have markets beside the ones within."""
        paths = {(market[0], market[1]) for market, _ in self.markets.parts}
        levels, before = [], 0
        for area in levels_of(path):
            inside = sum(1 for market, _ in paths if market == area or market.startswith(area + "/"))
            if inside != before:
                levels.append(area)
            before = inside
        return levels

    def prices(self, path, purpose, day, per_area=False):
        key = path, purpose, day, per_area
        if key not in self.known:
            number = (lambda span: span.price / span.area if span.area else None) if per_area else \
                (lambda span: span.price)
            self.known[key] = pooling.by_kind(Area(path, purpose, self.markets).whole(), day, number)
        return self.known[key]


def compare_yields(tally, stocks, path, moment, given, day):
    areas = stocks.levels(path)
    levels = [tuple(stocks.prices(area, purpose, day) for purpose in ("sale", "rent")) for area in areas]
    given = {None if row["label"] == "all" else segment_of(row["label"])[1:]: row for row in given}
    where, seen = (f"{path}:sale", moment), set()
    for kind, value, low, high, homes, weights, _ in pooling.yields(levels):
        name, row = f"yield of {kind or 'all'}", given.get(kind)
        seen.add(kind)
        if row is None or abs(high / low / 2.25 - 1) < 0.02:
            near = kind is not None and abs(high / low / 2.25 - 1) < 0.02
            tally.check(where, name, "shown", "shown" if near or row is not None else "absent")
            continue
        tally.check(where, name, value, row["gross_yield"], POOLED * value + 0.00005)
        for end, ours in (("low", low), ("high", high)):
            tally.check(where, f"{name}.interval[{end}]", ours, row["gross_yield_interval"][end], 2 * POOLED * ours + 0.00005)
        tally.check(where, f"{name}.sale_homes", homes, row["sale_homes"])
        theirs = {level["area"]: level["weight"] for level in row["levels"]}
        for area, weight in zip(areas, weights):
            if area in theirs or weight > 0.02:
                tally.check(where, f"{name}.weight of {area}", weight, theirs.get(area, "absent"), 0.02)
    for kind in given:
        if kind not in seen:
            tally.check(where, f"yield of {kind or 'all'}", "absent", "shown")


def compare_homes(tally, stocks, histories, rows, moment, newest, zone_day):
    """Homes as they are now, against those of their kind in their market and its county."""
    active = {home for home, history in histories.items() if history.intervals[-1].phase == "active"}
    tally.check(("homes", moment), "those on offer", len(active), len({row["id"] for row in rows} & active))
    tally.check(("homes", moment), "those listed", len(active), len(rows))
    for row in rows:
        path, purpose, _ = row["market"].split(":")
        where, history = (row["id"], moment), histories[row["id"]]
        last, day = history.intervals[-1], zone_day(path, newest)
        price = last.facts.price
        tally.check(where, "status", last.facts.status, row["status"])
        tally.check(where, "price", None if price is None else price / 100, row["price"], 0.005)
        per_area = price / last.facts.area if price is not None and last.facts.area else None
        tally.check(where, "price_per_area", None if per_area is None else per_area / 100, row["price_per_area"], 0.0051)
        opened = last.spell.opened
        tally.check(where, "opened_at", opened, rfc3339(row["opened_at"]))
        tally.check(where, "days_on_market", max(0, day - zone_day(path, opened)), row["days_on_market"])
        compare_like(tally, stocks, where, last, per_area, (path, purpose, day), row)


def compare_like(tally, stocks, where, last, per_area, market, row):
    path, purpose, day = market
    around = levels_of(path)[-1] if path.count("/") >= 2 else path
    beds = last.facts.beds
    kind = last.facts.kind, None if beds is None else min(beds, 10)
    here = stocks.prices(path, purpose, day, True)
    found = None
    if per_area is not None:
        home = where[0] if last.phase == "active" and not last.doubtful else None
        found = pooling.like(here, stocks.prices(around, purpose, day, True), kind, home)
    given = row["compared_with"]
    if found is None or given is None:
        tally.check(where, "compared_with", found is None, given is None)
        tally.check(where, "versus_market", None if found is None else 0, row["versus_market"])
        return
    versus = per_area / found[0] - 1
    tally.check(where, "compared_with.homes", found[1], given["homes"])
    tally.check(where, "compared_with.homes_around", found[2] or 0, given["homes_around"])
    tally.check(where, "versus_market", versus, row["versus_market"], POOLED * (1 + versus) + 0.00005)
