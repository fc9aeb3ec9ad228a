"""What the histories of homes add to each market and segment: stock by spans, stays, flows, prices and sales."""

from bisect import bisect_left
from collections import defaultdict
from copy import copy

from history import DAY, phase, possible_sale, terms

HOUR = 3_600_000


class Span:
    """A home in the stock (or under contract) from `first` to the day before `end`."""
    __slots__ = ("home", "first", "end", "price", "area", "opened", "opened_at", "first_price", "cell")

    def __init__(self, home, first, end, interval, opened, first_price):
        self.home, self.first, self.end = home, first, end
        self.price, self.area = interval.price, interval.facts.area
        self.opened, self.opened_at = opened, interval.spell.opened
        self.first_price = first_price
        beds = interval.facts.beds
        self.cell = (interval.facts.kind, None if beds is None else min(beds, 10))


class Part:
    """What one segment of one market has."""

    def __init__(self):
        self.spans = []          # active
        self.pending = []        # (first day, end)
        self.stays = []          # (day opened, day of entry, day of exit or None, kind of exit or None)
        self.flows = []          # (day, hour or None, kind)
        self.entered = []        # (day, price): new homes with a price
        self.left = []           # (day, days since opening)
        self.cuts = []           # (day, home, cell, share of the price before)
        self.first_cuts = []     # (day, days since opening)
        self.relisted_lower = [] # days
        self.sales = []          # (day, price, area, last price asked, first price)

    def order(self):
        """By day, so that `within` finds the records of some days."""
        for records in (self.stays, self.flows, self.entered, self.left, self.cuts, self.first_cuts, self.sales):
            records.sort(key=lambda record: record[0])

    def near(self, day):
        """The same, with only those homes on offer that a window of at most 90 days before a day can need."""
        part = copy(self)
        part.spans = [span for span in self.spans if span.first <= day and (span.end is None or span.end >= day - 90)]
        return part


def within(records, first, last):
    """Those of the days from `first` to `last`."""
    return records[bisect_left(records, (first,)):bisect_left(records, (last + 1,))]


def segments(facts):
    """The four segments of a home: whole, type, bedrooms, both."""
    beds = None if facts.beds is None else min(facts.beds, 10)
    return (facts.market, None), (facts.market, ("type", facts.kind)), (facts.market, ("beds", beds)), \
           (facts.market, ("cell", facts.kind, beds))


class Markets:
    """All parts, by (market, segment)."""

    def __init__(self, zone_day):
        self.parts = defaultdict(Part)
        self.zone_day = zone_day             # (market, time) -> civil day

    def add(self, home, history):
        self.prices(home, history)
        self.sold(history)
        for which in range(4):
            self.stock(home, history, which)

    def day(self, interval, time=None):
        return self.zone_day(interval.facts.market, interval.start if time is None else time)

    def flow(self, part, interval, kind, zone_of=None):
        day = self.day(zone_of or interval, interval.start)
        part.flows.append((day, interval.start // HOUR, kind))
        return day

    def stock(self, home, history, which):
        stay = None
        for place, interval in enumerate(history.intervals):
            before = history.intervals[place - 1] if place else None
            key = segments(interval.facts)[which]
            was = before is not None and before.phase == "active"
            is_ = interval.phase == "active"
            same = was and is_ and segments(before.facts)[which] == key and not interval.another
            if was and not same:
                kind = exit_kind(before, interval)
                part = self.parts[segments(before.facts)[which]]
                day = self.flow(part, interval, kind, before)
                part.stays.append((*stay, day, kind))
                if kind != "moved_out":
                    part.left.append((day, max(0, day - stay[0])))
            part = self.parts[key]
            if is_ and not same:
                kind = "moved_in" if was and before.terms == interval.terms else \
                    entry_kind(history.intervals, place)
                day = self.flow(part, interval, kind)
                stay = (self.day(interval, interval.spell.opened), day)
                if kind == "new" and interval.price is not None:
                    part.entered.append((day, interval.price))
                if kind == "relisted":
                    asked = last_asked(history.intervals[:place])
                    if asked is not None and interval.price is not None and interval.price < asked:
                        part.relisted_lower.append(day)
            first = self.day(interval)
            end = None if interval.end is None else self.day(interval, interval.end)
            if interval.phase == "pending":
                part.pending.append((first, end))
            elif is_:
                opened = self.day(interval, interval.spell.opened)
                part.spans.append(Span(home, first, end, interval, opened, first_price(interval)))
        if stay is not None and history.intervals[-1].phase == "active":
            part.stays.append((*stay, None, None))

    def prices(self, home, history):
        for spell in history.spells:
            last, cut = None, False
            for interval in spell.intervals:
                asked = interval.phase in ("active", "pending")
                if interval.price is None or interval.phase == "before":
                    continue
                if asked and last is not None and interval.price != last:
                    kind = "price_cuts" if interval.price < last else "price_rises"
                    for key in segments(interval.facts):
                        day = self.flow(self.parts[key], interval, kind)
                        if kind == "price_cuts":
                            cell = segments(interval.facts)[3]
                            self.parts[key].cuts.append((day, home, cell, (last - interval.price) / last))
                            if not cut:
                                opened = self.day(interval, spell.opened)
                                self.parts[key].first_cuts.append((day, max(0, day - opened)))
                    cut |= kind == "price_cuts"
                last = interval.price

    def sold(self, history):
        since = 0
        for sale in history.sales:
            place = history.intervals.index(sale.interval)
            seen = self.day(sale.interval)
            day = sale.date if sale.date is not None else seen
            price = sale.price if possible_sale(sale.price, terms(sale.interval.facts)) else None
            last, first = list_prices(history, sale, since, place, price)
            hour = sale.interval.start // HOUR if day == seen else None
            for key in segments(sale.interval.facts):
                part = self.parts[key]
                part.flows.append((day, hour, "sold"))
                part.sales.append((day, price, sale.interval.facts.area, last, first))
            since = place


def exit_kind(before, interval):
    if interval.phase in ("pending", "closed"):
        return interval.phase
    if interval.phase != "active" or before.terms != interval.terms:
        return "gone"
    return "moved_out"


def entry_kind(intervals, place):
    """The kind of the entry with which the home becomes active in intervals[place]."""
    interval = intervals[place]
    if place == 0:
        return "initial" if interval.start - interval.spell.opened > 7 * DAY else "new"
    actives = [index for index in range(place) if intervals[index].phase == "active"]
    since = actives[-1] + 1 if actives else 0
    between = intervals[since:place]
    if not actives and between[0].phase not in ("pending", "off"):
        return "new"
    around = [intervals[actives[-1]]] if actives else []
    if any(step.phase == "closed" for step in between):
        return "new"
    if any(step.terms != interval.terms for step in around + between):
        return "new"
    longest, off = 0, None
    for step in between + [interval]:
        if step.phase in ("off", "before"):
            off = step.start if off is None else off
        elif off is not None:
            longest, off = max(longest, step.start - off), None
    if longest > 365 * DAY:
        return "new"
    return "relisted" if longest > 90 * DAY else "back_on_market"


def last_asked(intervals):
    for interval in reversed(intervals):
        if interval.phase in ("active", "pending") and interval.price is not None:
            return interval.price
    return None


def first_price(interval):
    """The first price of its spell, as it is during this interval."""
    steps = interval.spell.intervals
    steps = steps[:next(place for place, step in enumerate(steps) if step is interval) + 1]
    for step in reversed(steps):
        if step.facts.original is not None:
            return step.facts.original
    for step in interval.spell.intervals:
        if step.phase in ("active", "pending") and step.price is not None:
            return step.price
    return None


def list_prices(history, sale, since, place, closing):
    """The list prices with which a sale is compared; one that is not believable is passed over for the closed row's."""
    def believable(price):
        return price is not None and (closing is None or closing < price * 4 and price < closing * 4)

    steps = [step for step in history.intervals[since:place]
             if step.phase in ("active", "pending") and step.terms == sale.interval.terms]
    asked = [step.price for step in steps if step.price is not None][-1:] + [sale.interval.facts.price]
    ends = {}                                    # the last step of each spell
    for step in steps:
        ends[id(step.spell)] = step
    firsts = [price for step in ends.values() if (price := first_price(step)) is not None][-1:]
    firsts.append(sale.interval.facts.original)
    return next(filter(believable, asked), None), next(filter(believable, firsts), None)
