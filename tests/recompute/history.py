"""From the rows of one home to its intervals, spells, doubtful prices and sales, as docs/METRICS.md defines them."""

from collections import namedtuple

DAY = 86_400_000
YEAR_1990 = 631_152_000_000

# market: (path, purpose, currency); prices in cents; close_date: days since 1970; area in the market's unit.
Facts = namedtuple("Facts", "market status price original close_price close_date kind beds area")
# time: milliseconds since 1970; listed: the listing date in milliseconds, or None.
Row = namedtuple("Row", "home time seq facts listed")

PHASES = {"ComingSoon": "before", "Incomplete": "before", "Active": "active", "ActiveUnderContract": "pending",
          "Pending": "pending", "Closed": "closed"}


def phase(facts):
    return PHASES.get(facts.status, "off")


def terms(facts):
    return facts.market[1:]


class Interval:
    """A time in which the facts of a home were equal."""

    def __init__(self, facts, start):
        self.facts, self.start, self.phase = facts, start, phase(facts)
        self.another = False     # whether its ID was given to another home here
        self.terms = None        # purpose, currency, and the number of the home of this ID
        self.end = None          # start of the next one
        self.sightings = []      # (time, listing date or None)
        self.spell = None
        self.doubtful = False
        self.price = None        # known and not doubtful


class Spell:
    """One stay on the market."""

    def __init__(self, terms_, before):
        self.terms, self.before = terms_, before     # before: the interval that precedes it
        self.intervals = []
        self.opened = None
        self.sale = None         # the sale that ends it


class Sale:
    """A sale: counts on its last valid date, at the last price given for it."""

    def __init__(self, interval):
        self.interval, self.dates, self.date, self.price = interval, [], None, None


class History:
    def __init__(self, rows):
        self.intervals = make_intervals(rows)
        tell_homes_apart(self.intervals)
        self.spells = make_spells(self.intervals)
        self.sales = make_sales(self.intervals)
        end_spells(self.intervals, self.spells, self.sales)
        for spell in self.spells:
            spell.opened = opening(spell)
            mark_doubtful(spell)
        for interval in self.intervals:
            if interval.facts.price is not None and not interval.doubtful:
                interval.price = interval.facts.price


def sort_key(row):
    """Facts of equal sightings sort field by field; an unknown value first."""
    return (row.time, row.seq, tuple((value is not None, value) for value in row.facts))


def make_intervals(rows):
    rows = sorted(set(rows), key=sort_key)
    kept, index = [], 0
    while index < len(rows):                     # of each UTC day, the first and the last sighting of each state
        day, last = rows[index].time // DAY, index
        while last < len(rows) and rows[last].time // DAY == day:
            last += 1
        states = {}
        for place in range(index, last):
            row = rows[place]
            state = states.setdefault(row.facts, [place, place, None])
            state[1] = place
            if row.listed is not None:
                state[2] = row.listed
        keep = {place for first, end, _ in states.values() for place in (first, end)}
        kept += [(rows[place], states[rows[place].facts][2]) for place in sorted(keep)]
        index = last
    intervals = []
    for row, listed in kept:
        if not intervals or intervals[-1].facts != row.facts:
            if intervals:
                intervals[-1].end = row.time
            intervals.append(Interval(row.facts, row.time))
        intervals[-1].sightings.append((row.time, listed))
    return intervals


def tell_homes_apart(intervals):
    """Finds where the ID was given to another home: size and rooms change together, and place or price with them."""
    number, last = 0, {}
    for interval in intervals:
        facts = interval.facts
        known = {name: value for name, value in (("area", facts.area), ("beds", facts.beds), ("price", facts.price),
                                                 ("market", facts.market)) if value is not None}
        if last:
            interval.another = is_another(last, known)
        if interval.another:
            number, last = number + 1, {}
        last.update(known)
        interval.terms = (*terms(facts), number)


def is_another(last, now):
    def differ(name, factor):
        if name not in last or name not in now:
            return False
        low, high = sorted((last[name], now[name]))
        return high >= factor * low
    rooms = "beds" in last and "beds" in now and last["beds"] != now["beds"]
    levels = zip(last["market"][0].split("/"), now["market"][0].split("/"))
    place = any(one != other and "-" not in (one, other) for one, other in levels)
    price = last["market"][1:] == now["market"][1:] and differ("price", 2)
    return differ("area", 1.5) and rooms and (place or price)


def make_spells(intervals):
    spells, spell, off = [], None, None
    for place, interval in enumerate(intervals):
        if interval.phase in ("active", "pending"):
            new = (spell is None or spell.terms != interval.terms
                   or (off is not None and interval.start - off > 90 * DAY))
            if new:
                spell = Spell(interval.terms, intervals[place - 1] if place else None)
                spells.append(spell)
            off = None
        elif interval.phase == "closed":
            spell = off = None
        elif off is None:
            off = interval.start
        if spell is not None:
            spell.intervals.append(interval)
            interval.spell = spell
    return spells


def opening(spell):
    start = spell.intervals[0].start
    dated = [(seen, listed) for interval in spell.intervals for seen, listed in interval.sightings if listed is not None]
    if dated:
        seen, listed = dated[-1]
        after = spell.before is None or listed > spell.before.start
        if YEAR_1990 <= listed <= seen and listed <= start and after:
            return listed
    return start


def valid_date(interval):
    """The day of closing that it gives, from 1990 to a day after it begins."""
    day = interval.facts.close_date
    return day if day is not None and YEAR_1990 // DAY <= day <= interval.start // DAY + 1 else None


def make_sales(intervals):
    sales, sale, offered, ever = [], None, False, False
    for interval in intervals:
        if interval.another:
            sale, offered, ever = None, True, True
        if interval.phase in ("active", "pending"):
            offered = ever = True
        if interval.phase != "closed":
            continue
        date = valid_date(interval)
        begins = offered or (not ever and sale is None and date is not None)
        if sale is not None and date is not None and all(date > day + 30 for day in sale.dates):
            begins = True
        if begins:
            sale = Sale(interval)
            sales.append(sale)
            if date is None:
                sale.dates.append(interval.start // DAY)
        elif sale is None or sale.interval.terms != interval.terms:
            continue
        offered = False
        if date is not None:
            sale.date = date
            sale.dates.append(date)
        if interval.facts.close_price is not None:
            sale.price = interval.facts.close_price
    return sales


def end_spells(intervals, spells, sales):
    """Which sale ends which spell: the closed interval after it."""
    begins = {id(sale.interval): sale for sale in sales}
    last = {id(spell.intervals[-1]): spell for spell in spells}
    for before, interval in zip(intervals, intervals[1:]):
        spell, sale = last.get(id(before)), begins.get(id(interval))
        if spell is not None and sale is not None and interval.terms == spell.terms:
            spell.sale = sale


def is_placeholder(cents):
    if cents % 100:
        return False
    text = str(cents // 100)
    if len(set(text)) == 1:
        return len(text) >= (7 if text[0] == "9" else 5)
    return len(text) >= 5 and text == "123456789"[:len(text)]


def possible_sale(price, terms_):
    """A closing price that a home may have: docs/SOURCES.md, price bounds, of the currencies used here."""
    ten = {"USD": 0, "EUR": 0, "MAD": 1}[terms_[1]]
    low, high = (2, 10) if terms_[0] == "sale" else (1, 8)
    return price is not None and 100 * 10 ** (ten + low) <= price <= 100 * 10 ** (ten + high)


def mark_doubtful(spell):
    runs = []                                    # neighbours with one price: [price, days seen, intervals, asked]
    for interval in spell.intervals:
        price = interval.facts.price
        if price is None:
            continue
        if not runs or runs[-1][0] != price:
            runs.append([price, set(), [], False])
        runs[-1][2].append(interval)
        runs[-1][3] |= interval.phase in ("active", "pending")
        if interval.facts.status != "Gone":
            runs[-1][1].update(seen // DAY for seen, _ in interval.sightings)
    closing = None
    if spell.sale is not None and possible_sale(spell.sale.price, spell.terms[:2]):
        closing = spell.sale.price
        if not any(asked and price * 2 >= closing and price <= closing * 2 for price, _, _, asked in runs):
            closing = None
    last = None
    for price, days, intervals, asked in runs:
        wrong = len(days) <= 1 and looks_wrong(price, last, closing)
        for interval in intervals:
            interval.doubtful = wrong
        if not wrong and asked:
            last = price


def looks_wrong(price, last, closing):
    if closing is not None:
        if price * 2 >= closing and price <= closing * 2:
            return False
        if price * 4 <= closing or price >= closing * 4:
            return True
    if is_placeholder(price):
        return True
    return last is not None and (price * 4 <= last or price >= last * 4)
