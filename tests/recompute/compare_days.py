"""Compares the daily series and the changes of an area."""

import math

import changes
import unusual
from compare import day_number, iso
from estimates import Z, quantile

# A change of a median is within 0.2 points; its JSON has four decimals.
CHANGE = 0.002 + 0.00005 + 1e-9


def compare_days(comparison, theirs):
    part, tally, where = comparison.area.whole(), comparison.tally, comparison.where
    for row in theirs["days"]:
        day = day_number(row["day"])
        values, interval, slack = changes.close(part, day)
        place = f"days {row['day']}: "
        for name, value in values.items():
            about = name if not name.startswith("median_price_") else "median_price"
            if about != name:
                comparison.catalogue.setdefault(name, comparison.catalogue[about])
            comparison.figure(place, name, value, row[name], slack if name == "mean_price" else 0)
        given = row["median_price_interval"]
        for end, index in (("low", 0), ("high", 1)):
            value = None if interval is None else interval[index] / 100
            tally.check(where, f"{place}median_price_interval[{end}]", value, given and given[end],
                        0 if value is None else comparison.catalogue["median_price"].allowed_end(value))
        first = changes.first_entry(part)
        tally.check(where, place + "warming_up", first is not None and day < first + 7, row["warming_up"])
    compare_index(comparison, theirs["days"])
    compare_watched(comparison, theirs, changes.first_entry(part))


def compare_watched(comparison, theirs, watched):
    """Since when the area is watched, and which windows have any of its first 7 days."""
    day = day_number(theirs["day"])
    if watched is None or watched > day:
        return                   # nothing is known of days before
    if theirs["watched_since"] is not None or watched > day - 393:       # at least so many days are read
        comparison.tally.check(comparison.where, "watched_since", iso(watched), theirs["watched_since"])
        windows = (("last_24_hours", 1), ("last_7_days", 7), ("last_28_days", 28), ("last_90_days", 90))
        warming = [name for name, days in windows if day - days + 1 < watched + 7]
        comparison.tally.check(comparison.where, "warming_up", str(warming), str(theirs["warming_up"]))


def compare_index(comparison, days):
    """100 on the first day shown that has an index; each other day against that one."""
    part, known_since = comparison.area.whole(), changes.first_entry(comparison.area.whole())
    base = None
    for row in days:
        day, ours = day_number(row["day"]), None
        if base is None and changes.mix_index(part, day, day, known_since)[0] is not None:
            base = day
        if base is not None:
            index, _ = changes.mix_index(part, base, day, known_since)
            ours = None if index is None else 100 * index
        comparison.tally.check(comparison.where, f"days {row['day']}: price_index", ours, row["price_index"],
                               0 if ours is None else 0.002 * ours + 0.005)


def compare_changes(comparison, theirs, day):
    tally, where = comparison.tally, comparison.where
    watched = changes.first_entry(comparison.area.whole())
    given = {row["days"]: row for row in theirs["changes"]}
    for days in changes.SINCE:
        since, row = day - days, given.get(days)
        if row is None:
            tally.check(where, f"changes {days}", watched is None or since < watched, True)
            continue
        compare_change(comparison, f"changes {days}: ", row, day, days)


def compare_change(comparison, place, row, day, days):
    """One row of changes; `thin` if either day has few homes or the earlier one was warming up."""
    area, tally, where = comparison.area, comparison.tally, comparison.where
    part, known_since, since = area.whole(), changes.first_entry(area.whole()), day - days
    now, before = len(changes.prices_on(part, day)), len(changes.prices_on(part, since))
    stock = sum(changes.figures.covers(span, since) for span in part.spans)
    stock_now = sum(changes.figures.covers(span, day) for span in part.spans)
    tally.check(where, place + "since", iso(since), row["since"])
    tally.check(where, place + "active", stock, row["active"])
    tally.check(where, place + "priced", before, row["priced"])
    tally.check(where, place + "active_change", stock_now / stock - 1 if stock else None, row["active_change"], 0.000051)
    warming = known_since is not None and since < known_since + 7
    tally.check(where, place + "thin", min(now, before) < 10 or warming, row["thin"])
    exact = quantile(changes.prices_on(part, since), 0.5)
    comparison.figure(place, "median_price", exact, row["median_price"])
    change, interval = changes.median_change(part, day, since)
    tally.check(where, place + "median_price_change", change, row["median_price_change"], CHANGE * (1 + (change or 0)))
    if change is not None and row["median_price_change"] is not None and before and now:
        size = "from 500" if min(before, now) >= 500 else "fewer"
        tally.error(f"change of the median, {size}", area.level, abs(change - row["median_price_change"]) / (1 + change))
    ends = row["median_price_change_interval"]
    for end, index in (("low", 0), ("high", 1)):
        ours = None if interval is None else interval[index]
        tally.check(where, f"{place}median_price_change_interval[{end}]", ours, ends and ends[end],
                    0.005 * (1 + (ours or 0)))
    if days > 1:
        index, matched = changes.mix_index(part, since, day, known_since)
        ours = None if index is None else index - 1
        tally.check(where, place + "mix_adjusted_change", ours, row["mix_adjusted_change"], 0.00205 * (index or 1))
        tally.check(where, place + "mix_matched_share", matched, row["mix_matched_share"], 0.000051)
        ends = row["mix_adjusted_change_interval"]
        reach = None if index is None else Z * changes.mix_deviation(part, since, day, days, day)
        for end, sign in (("low", -1), ("high", 1)):
            edge = None if index is None else index * math.exp(sign * reach) - 1
            tally.check(where, f"{place}mix_adjusted_change_interval[{end}]", edge, ends and ends[end],
                        0.003 * (1 + (edge or 0)))
        if ours is not None and row["mix_adjusted_change"] is not None:
            tally.error("change at the same mix", area.level, abs(ours - row["mix_adjusted_change"]))


def compare_change_of_list(comparison, row, day, days):
    """The change that a list shows beside the figures of each area."""
    given = row.get("change")
    if given is not None:
        compare_change(comparison, "in the list: change: ", given, day, days)


def compare_unusual(comparison, theirs, day):
    """The week that ends with the last day that is over."""
    part, tally, where = comparison.area.whole(), comparison.tally, comparison.where
    found = unusual.comparisons(part, day if theirs["day_is_over"] else day - 1, day)
    flags, near = unusual.flagged(found)
    given = {row["figure"]: row for row in theirs["unusual"]}
    for name, _ in unusual.COUNTS + (("active_change", ()), ("mix_adjusted_change", ())):
        if name not in near:
            tally.check(where, f"unusual {name}", name in flags, name in given)
        if name not in given or name not in found:
            continue
        value, usual, ends, weeks, probabilities = found[name]
        row, small = given[name], 0.001 if name == "mix_adjusted_change" else 0.0001
        tally.check(where, f"unusual {name}.value", value, row["value"], small)
        tally.check(where, f"unusual {name}.usual", usual, row["usual"], small)
        tally.check(where, f"unusual {name}.usual_interval[low]", ends[0], row["usual_interval"]["low"], 2 * small)
        tally.check(where, f"unusual {name}.usual_interval[high]", ends[1], row["usual_interval"]["high"], 2 * small)
        tally.check(where, f"unusual {name}.is", "low" if value < usual else "high", row["is"])
        tally.check(where, f"unusual {name}.weeks", weeks, row["weeks"])
        probability = min(probabilities, key=lambda one: abs(one - row["probability"]))
        tally.check(where, f"unusual {name}.probability", probability, row["probability"], 0.1 * probability)
