"""Partial pooling: yields of kinds of homes, and what homes like a home ask."""

import math
from collections import defaultdict

from estimates import Z, order_statistics, quantile
from figures import covers

SPREAD = 0.4                     # of the logarithms of prices of a kind with fewer than 6 homes
LEAST = 6


def by_kind(part, day, number):
    """A number of each priced home on offer, by type and bedrooms where both are known: [(number, home)], in order."""
    kinds = defaultdict(list)
    for span in part.spans:
        if covers(span, day) and span.price is not None and number(span) is not None:
            kinds[span.cell].append((number(span), span.home))
    return {kind: sorted(numbers) for kind, numbers in kinds.items()}


def estimate(numbers):
    """The logarithm of a median and its variance."""
    if not numbers:
        return None
    ends = order_statistics(numbers, 0.5)
    if ends is None:
        variance = math.pi / 2 * SPREAD ** 2 / len(numbers)
    else:
        variance = (math.log(ends[1] / ends[0]) / (2 * Z)) ** 2
    return math.log(quantile(numbers, 0.5)), variance


def between(pairs):
    """The variance between areas of what a kind costs there, from pairs of estimates."""
    excess = sum((own[0] - around[0]) ** 2 - own[1] - around[1] for own, around in pairs)
    return max((excess + 4 * 0.15 ** 2) / (len(pairs) + 4), 0.03 ** 2)


def pool(own, around, apart):
    """The mean of both, weighted by what they tell, its variance and the weight of the own one."""
    weights = 1 / max(own[1], 1e-12), 1 / max(around[1] + apart, 1e-12)
    weight = weights[0] / sum(weights)
    return (weight * own[0] + (1 - weight) * around[0], 1 / sum(weights)), weight


def yields_of(levels):
    """`levels`: prices and rents by kind of the area, its city and its county. By kind: estimate and weights."""
    around = {}
    for place in reversed(range(len(levels))):
        sale, rent = levels[place]
        own = {}
        for kind in sale:
            prices, rents = (estimate([number for number, _ in numbers.get(kind, [])]) for numbers in (sale, rent))
            if None not in kind and rents is not None:
                own[kind] = (rents[0] - prices[0] + math.log(12), rents[1] + prices[1])
        apart = between([(own[kind], around[kind][0]) for kind in own if kind in around])
        pooled = {}
        for kind, (log, variance) in own.items():
            weights = [float(at == place) for at in range(len(levels))]
            result = log, variance
            if kind in around:
                result, weight = pool(result, around[kind][0], apart)
                weights = [other * (1 - weight) for other in around[kind][1]]
                weights[place] += weight
            pooled[kind] = result, weights
        for kind, ((log, variance), weights) in around.items():
            pooled.setdefault(kind, ((log, variance + apart), weights))
        around = pooled
    return around


def interval(log, variance):
    reach = Z * math.sqrt(variance)
    return math.exp(log - reach), math.exp(log + reach)


def yields(levels):
    """Rows (kind or None for all, yield, low, high, homes for sale, weights) of those that are known well enough."""
    if not levels:
        return []
    pooled, sale = yields_of(levels), levels[0][0]
    rows, known = [], 0
    for kind in sale:
        if None in kind:
            continue
        known += len(sale[kind])
        if kind in pooled:
            (log, variance), weights = pooled[kind]
            low, high = interval(log, variance)
            if high / low <= 1.5 ** 2:
                rows.append((kind, math.exp(log), low, high, len(sale[kind]), weights, variance))
    matched = sum(row[4] for row in rows)
    if matched and matched >= 0.5 * known:
        mean = sum(row[4] * row[1] for row in rows) / matched
        variance = sum((row[4] / matched * row[1]) ** 2 * row[6] for row in rows) / mean ** 2
        weights = [sum(row[4] * row[5][at] for row in rows) / matched for at in range(len(levels))]
        rows.append((None, mean, *interval(math.log(mean), variance), matched, weights, variance))
    return rows


def like(market, around, kind, home):
    """What homes of a kind ask per area, without this one: (estimate, homes, homes around or None). None of too few."""
    if None in kind:
        return None
    others = [number for number, other in market.get(kind, []) if other != home]
    here = estimate(others)
    wide = [number for number, _ in around.get(kind, [])]
    if len(wide) >= LEAST:
        level, apart = shift(market, around, kind)
        log, variance = estimate(wide)
        wide_estimate = log + level[0], variance + level[1]
        value = wide_estimate[0] if here is None else pool(here, wide_estimate, apart)[0][0]
        return math.exp(value), len(others), len(wide)
    return (math.exp(here[0]), len(others), None) if len(others) >= LEAST else None


def shift(market, around, kind):
    """How much more the market's other kinds ask than those around, and the variance of that between kinds."""
    pairs = [(estimate([number for number, _ in numbers]), estimate([number for number, _ in around[other]]))
             for other, numbers in market.items() if other != kind and other in around]
    weights, total = 1 / 0.3 ** 2, 0.0
    for own, wide in pairs:
        weight = 1 / (own[1] + wide[1] + 0.15 ** 2)
        weights, total = weights + weight, total + weight * (own[0] - wide[0])
    level = total / weights, 1 / weights
    return level, between([(own, (wide[0] + level[0], wide[1])) for own, wide in pairs])
