"""Quantiles, confidence intervals and survival estimates, on exact values."""

import math

Z = 1.959964


def quantile(ordered, q):
    """Hyndman and Fan's type 7 of values in order; None without values."""
    if not ordered:
        return None
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def weighted_quantile(pairs, q):
    """The same of (value, times it counts) in order of values."""
    total = sum(times for _, times in pairs)
    if not total:
        return None
    place = q * (total - 1)
    low, part = int(place), place - int(place)
    first = second = None
    seen = 0
    for value, times in pairs:
        seen += times
        if first is None and seen > low:
            first = value
        if seen > low + 1:
            second = value
            break
    return first if second is None else first + (second - first) * part


def order_statistics(ordered, q):
    """The 95 % interval of a quantile, or None if one end is outside the sample."""
    count = len(ordered)
    spread = Z * math.sqrt(count * q * (1 - q))
    low = math.floor(count * q + 0.5 - spread)
    high = math.ceil(count * q + 0.5 + spread)
    if low < 1 or high > count:
        return None
    return ordered[low - 1], ordered[high - 1]


def wilson(found, total):
    if not total or found > total:
        return None
    share, square = found / total, Z * Z
    middle = share + square / (2 * total)
    spread = Z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    scale = 1 + square / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


class Survival:
    """Kaplan and Meier's estimate of the share left, by whole days of age, with late entries."""

    def __init__(self, stays):
        """stays: (age at entry, age at the end, whether it ended with the event)."""
        self.steps = []                          # (age, share left after it, Greenwood's sum)
        self.gap = None                          # the first age at which no home was at risk
        entries, ends, events = {}, {}, {}
        for entry, end, event in stays:
            entries[entry] = entries.get(entry, 0) + 1
            ends[end] = ends.get(end, 0) + 1
            if event:
                events[end] = events.get(end, 0) + 1
        left, total, at_risk = 1.0, 0.0, 0
        for age in range(91):
            at_risk += entries.get(age, 0)
            if at_risk == 0:
                self.gap = age
                break
            gone = events.get(age, 0)
            if gone:
                left *= (at_risk - gone) / at_risk
                total = math.inf if gone == at_risk else total + gone / (at_risk * (at_risk - gone))
                self.steps.append((age, left, total))
                if left <= 0:
                    break
            at_risk -= ends.get(age, 0)

    def at(self, age):
        """The share left after an age and Greenwood's sum; None where it is unknown."""
        left, total = 1.0, 0.0
        for step, share, so_far in self.steps:
            if step <= age:
                left, total = share, so_far
        if left > 0 and self.gap is not None and self.gap <= age:
            return None
        return left, total

    def median(self):
        return next((age for age, left, _ in self.steps if left <= 0.5 + 1e-12), None)

    def gone_within(self, age):
        known = self.at(age)
        return None if known is None else 1 - known[0]

    def gone_interval(self, age):
        known = self.at(age)
        if known is None:
            return None
        ends = log_log(*known)
        return None if ends is None else (1 - ends[1], 1 - ends[0])

    def median_interval(self):
        """The days on which the interval of the share left contains a half."""
        inside = [age for age, left, total in self.steps
                  if (ends := log_log(left, total)) is not None and ends[0] <= 0.5]
        after = [age for age, left, total in self.steps
                 if left <= 0 or ((ends := log_log(left, total)) is not None and ends[1] < 0.5)]
        if not inside or not after:
            return None
        return inside[0], after[0]


def log_log(left, total):
    """The 95 % interval of a share left, on the scale of ln(-ln)."""
    if not 0 < left < 1:
        return None
    spread = Z * math.sqrt(total) / abs(math.log(left))
    return left ** math.exp(spread), left ** math.exp(-spread)
