"""The daily series of an area, changes of its stock and medians, also at the same mix."""

import math
from collections import defaultdict

import figures
from estimates import Z, order_statistics, quantile, weighted_quantile

SINCE = (1, 7, 28, 91, 365)
INF = 10 ** 9


def first_entry(part):
    return next((day for day, _, kind in part.flows if kind in figures.ENTRIES), None)


def prices_on(part, day):
    return sorted(span.price for span in part.spans if span.price is not None and figures.covers(span, day))


def overlap(span, first, last):
    end = INF if span.end is None else span.end
    return min(end - 1, last) - max(span.first, first) + 1


def pooled_median(part, last, days, known_since):
    if known_since is None or last - days + 1 < known_since:
        return None
    pairs = sorted((span.price, times) for span in part.spans
                   if span.price is not None and (times := overlap(span, last - days + 1, last)) > 0)
    return weighted_quantile(pairs, 0.5)


def close(part, day):
    """One day of the daily series."""
    values = figures.flows_of_day(part, day)
    prices = prices_on(part, day)
    row = figures.Figures()
    row.mean("mean_price", prices)
    values.update(active=sum(figures.covers(span, day) for span in part.spans), unconfirmed=0, priced=len(prices),
                  median_price=quantile(prices, 0.5), mean_price=row.values["mean_price"])
    known_since = first_entry(part)
    for days in (7, 28, 91):
        values[f"median_price_{days}_days"] = pooled_median(part, day, days, known_since)
    return values, order_statistics(prices, 0.5), row.slack["mean_price"]


def cells_of(part, last):
    """By cell: home-days with a price in the 28 days that end with a day, and their mean log price."""
    sums = defaultdict(lambda: [0, 0.0])
    for span in part.spans:
        times = overlap(span, last - 27, last)
        if span.price is not None and times > 0:
            state = sums[span.cell]
            state[0] += times
            state[1] += times * math.log(span.price)
    return {cell: (count, total / count) for cell, (count, total) in sums.items()}


def mix_index(part, base, day, known_since):
    """The index of a day at the same mix as a base, and the share of home-days that are compared."""
    if known_since is None or min(base, day) - 27 < known_since:
        return None, None
    before, now = cells_of(part, base), cells_of(part, day)
    both = [cell for cell in now if cell in before and min(now[cell][0], before[cell][0]) >= 140]
    if not both:
        return None, None
    shares = []
    for cells in (before, now):
        compared = sum(cells[cell][0] for cell in both)
        shares.append((compared / sum(count for count, _ in cells.values()), compared))
    matched = min(shares[0][0], shares[1][0])
    if matched < 0.5:
        return None, None
    log = sum((before[cell][0] / shares[0][1] + now[cell][0] / shares[1][1]) / 2 * (now[cell][1] - before[cell][1])
              for cell in both)
    return math.exp(log), matched


def mix_deviation(part, base, day, days, today):
    """The standard deviation of the logarithm of that index, because the homes of each cell are a sample."""
    before, now = cells_of(part, base), cells_of(part, day)
    both = [cell for cell in now if cell in before and min(now[cell][0], before[cell][0]) >= 140]
    totals = [sum(cells[cell][0] for cell in both) for cells in (before, now)]
    homes = [sum(count for count, _ in cells.values()) / 28 for cells in (before, now)]
    common = sum(figures.covers(span, today) and span.opened <= today - max(days, 28) for span in part.spans)
    correlation = min(1.0, common / math.sqrt(homes[0] * homes[1]))
    total = 0.0
    for cell in both:
        logs = [math.log(span.price) for span in part.spans
                if span.cell == cell and span.price is not None and figures.covers(span, today)]
        variance = 0.4 ** 2
        if len(logs) >= 6:
            mean = sum(logs) / len(logs)
            variance = sum((log - mean) ** 2 for log in logs) / (len(logs) - 1)
        weight = (before[cell][0] / totals[0] + now[cell][0] / totals[1]) / 2
        parts = 28 / before[cell][0], 28 / now[cell][0]
        total += weight ** 2 * variance * (sum(parts) - 2 * correlation * math.sqrt(parts[0] * parts[1]))
    return math.sqrt(max(0.0, total)) * min(days, 28) / 28


def median_change(part, day, since):
    """The change of the median and its interval."""
    now, before = prices_on(part, day), prices_on(part, since)
    if not now or not before:
        return None, None
    change = quantile(now, 0.5) / quantile(before, 0.5) - 1
    ends = order_statistics(now, 0.5), order_statistics(before, 0.5)
    if None in ends:
        return change, None
    errors = [math.log(high / low) / (2 * Z) for low, high in ends]
    both = sum(figures.covers(span, day) and span.opened <= since for span in part.spans)
    correlation = min(both, len(now), len(before)) / math.sqrt(len(now) * len(before))
    variance = errors[0] ** 2 + errors[1] ** 2 - 2 * correlation * errors[0] * errors[1]
    spread = Z * math.sqrt(max(0.0, variance))
    log = math.log1p(change)
    return change, (math.exp(log - spread) * 0.998 - 1, math.exp(log + spread) * 1.002 - 1)
