"""What is unusual in the last week of an area, by its own past."""

import math

import changes
import figures
from estimates import Z
from events import within

COUNTS = (("new", ("new",)), ("back_on_market", ("back_on_market", "relisted")), ("pending", ("pending",)),
          ("gone", ("gone",)), ("sold", ("sold",)), ("price_cuts", ("price_cuts",)), ("price_rises", ("price_rises",)))
WEEKS_READ = 61                  # of the days that a state keeps


def median(values):
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def weeks_of(part, last, kinds):
    """Events by week, the last one first, since the searches are warm; of an area that has only sales, all that are read."""
    first = changes.first_entry(part)
    count = WEEKS_READ if first is None else min((last - (first + 7) + 1) // 7, WEEKS_READ)
    weeks = [0] * max(0, count)
    for day, _, kind in within(part.flows, last - 7 * len(weeks) + 1, last):
        if kind in kinds:
            weeks[(last - day) // 7] += 1
    return weeks


def comparisons(part, last, today):
    """By figure: (value, usual, its interval, weeks, probabilities with the year before and without), where enough is
    known."""
    found = {}
    for name, kinds in COUNTS:
        values = [2 * math.sqrt(count + 0.375) for count in weeks_of(part, last, kinds)]
        compare(found, name, values, 1.0, lambda value: max(0.0, value * value / 4 - 0.375))
    entries, exits = (weeks_of(part, last, kinds) for kinds in (figures.ENTRIES, figures.EXITS))
    moves = [come + go for come, go in zip(entries, exits)][1:9]
    unit = math.sqrt(median(moves) + 1) if moves else 1.0
    compare(found, "active_change", [(come - go) / unit for come, go in zip(entries, exits)], 1.0, lambda value: value * unit)
    known, prices = changes.first_entry(part), []
    for week in range(WEEKS_READ):
        day = last - 7 * week
        index, _ = changes.mix_index(part, day - 28, day, known)
        if index is None:
            break
        prices.append(index - 1)
    if prices:
        floor = max(0.0025, changes.mix_deviation(part, last - 28, last, 28, today))
        compare(found, "mix_adjusted_change", prices, floor, lambda value: value, 4)
    return found


def compare(found, name, values, floor, shown, apart=1):
    def difference(week):
        before = values[week + apart:week + apart + 8]
        return values[week] - median(before) if len(before) == 8 else None

    earlier = []
    for week in range(1, 45):
        if week >= len(values) or difference(week) is None:
            break
        earlier.append(difference(week))
    if len(earlier) < 8:
        return
    usual = values[0] - difference(0)
    scale = max(1.4826 * median([abs(one) for one in earlier]), 1.0938 * floor)
    off = values[0] - usual
    same = [abs(one) for week in (51, 52, 53) if week < len(values) and (one := difference(week)) is not None
            and (one < 0) == (off < 0)]
    less = max(0.0, abs(off) - max(same, default=0.0))
    freedom = max(3.0, 0.4 * len(earlier) / apart)
    # Whether an answer reads as far as a year before depends on its number of days: both probabilities are right.
    found[name] = (shown(values[0]), shown(usual), (shown(usual - Z * scale), shown(usual + Z * scale)), len(earlier),
                   (two_sided(less / scale, freedom), two_sided(abs(off) / scale, freedom)))


def two_sided(t, freedom):
    """Student's t, by Simpson's rule over its density, on the angle atan(t / sqrt(freedom))."""
    angle, steps = math.atan(t / math.sqrt(freedom)), 2000
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    width, total = (math.pi / 2 - angle) / steps, 0.0
    for step in range(steps + 1):
        weight = 1 if step in (0, steps) else 4 if step % 2 else 2
        cosine = max(0.0, math.cos(angle + step * width))
        total += weight * cosine ** (freedom - 1)
    return 2 * constant * total * width / 3


def flagged(found):
    """The figures that are flagged, and those so near the bound that either is right."""
    bound, flags, near = 0.1 / max(1, len(found)), set(), set()
    for name, (value, usual, _, _, (less, whole)) in found.items():
        off = abs(value - usual)
        least = {"mix_adjusted_change": 0.01, "active_change": 5}.get(name, max(5, 0.2 * usual))
        if min(less, whole) <= 1.1 * bound and max(less, whole) >= bound / 1.1 or abs(off / least - 1) < 0.02:
            near.add(name)
        elif less <= bound and off >= least:
            flags.add(name)
    return flags, near
