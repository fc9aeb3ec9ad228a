"""The figures of an area's segment on a day: levels, windows and flows, with their confidence intervals."""

from collections import Counter

from estimates import Survival, order_statistics, quantile, wilson
from events import within

ENTRIES = ("initial", "new", "relisted", "back_on_market", "moved_in")
EXITS = ("pending", "closed", "gone", "moved_out", "expired")
FLOWS = ENTRIES + EXITS + ("price_cuts", "price_rises", "sold")
MONTH = 30.4375


def covers(span, day):
    return span.first <= day and (span.end is None or day < span.end)


class Figures:
    """Values by name, and the interval of each that has one. Prices are in cents."""

    def __init__(self):
        self.values, self.intervals = {}, {}
        self.slack = {}          # of means, for what buckets tell of the prices left out

    def median(self, name, numbers, q=0.5):
        numbers = sorted(numbers)
        self.values[name] = quantile(numbers, q)
        self.intervals[name] = order_statistics(numbers, q)

    def share(self, name, found, total):
        self.values[name] = found / total if total else None
        self.intervals[name] = wilson(found, total)

    def ratio(self, name, number, divisor):
        self.values[name] = number / divisor if divisor else None


    def mean(self, name, prices):
        """Without outlying prices, of which it returns the others. A mean is known to 0.1 % of what is left out."""
        belong = without_outlying(prices)
        self.ratio(name, sum(belong), len(belong))
        self.slack[name] = 0.001 * (sum(prices) - sum(belong)) / max(1, len(belong))
        return belong


def without_outlying(prices):
    """The prices that can belong here."""
    if len(prices) < 10:
        return prices
    middle = quantile(sorted(prices), 0.5)
    return [price for price in prices if middle / 50 <= price <= middle * 50]


def levels(part, day, speed=True):
    figures = Figures()
    stock = [span for span in part.spans if covers(span, day)]
    priced = [span for span in stock if span.price is not None]
    prices = sorted(span.price for span in priced)
    values = figures.values
    belong = figures.mean("mean_price", prices)
    values.update(active=len(stock), unconfirmed=0, priced=len(priced), thin=len(priced) < 10)
    values["outlying"] = len(prices) - len(belong)
    figures.median("median_price", prices)
    figures.median("p25_price", prices, 0.25)
    figures.median("p75_price", prices, 0.75)
    values["min_price"] = belong[0] if belong else None
    values["max_price"] = belong[-1] if belong else None
    per_area = [span.price / span.area for span in priced if span.area]
    values["priced_per_area"] = len(per_area)
    figures.median("median_price_per_area", per_area)
    figures.median("median_age_days", [max(0, day - span.opened) for span in stock])
    cuts = [(span.first_price - span.price) / span.first_price for span in priced
            if span.first_price is not None and span.price < span.first_price]
    values["cut"] = len(cuts)
    figures.share("cut_share", len(cuts), len(priced))
    figures.median("median_cut", cuts)
    values["pending_stock"] = sum(first <= day and (end is None or day < end) for first, end in part.pending)
    figures.ratio("pending_ratio", values["pending_stock"], len(stock))
    add_speed(figures, part, day, speed)
    return figures


def add_speed(figures, part, day, known):
    """Kaplan-Meier estimates; stored sums have them for whole areas only."""
    for kind, events in (("pending", ("pending", "closed")), ("off_market", ("pending", "closed", "gone"))):
        stays = [(max(0, entry - opened), max(0, (day if exit_ is None or exit_ > day else exit_) - opened),
                  exit_ is not None and exit_ <= day and how in events)
                 for opened, entry, exit_, how in within(part.stays, day - 89, day) if entry <= day]
        figures.values["stays_90_days"] = len(stays) if known else None
        survival = Survival(stays if known else [])
        figures.values[f"median_days_to_{kind}"] = survival.median()
        figures.intervals[f"median_days_to_{kind}"] = survival.median_interval()
        for age in (7, 14, 30, 60):
            figures.values[f"{kind}_within_{age}_days"] = survival.gone_within(age)
            figures.intervals[f"{kind}_within_{age}_days"] = survival.gone_interval(age)


def flows_of_hours(part, hour):
    near = within(part.flows, hour // 24 - 3, hour // 24 + 3)
    counts = Counter(kind for _, at, kind in near if at is not None and hour - 24 < at <= hour)
    return {kind: counts[kind] for kind in FLOWS}


def flows_of_day(part, day):
    counts = Counter(kind for _, _, kind in within(part.flows, day, day))
    return {kind: counts[kind] for kind in FLOWS}


def window(part, day, width, speed=True):
    figures, since = Figures(), day - width + 1
    values = figures.values

    counts = Counter(record[2] for record in within(part.flows, since, day))
    values.update({kind: counts[kind] for kind in FLOWS})
    add_sales(figures, within(part.sales, since, day))
    values["left"] = sum(counts[kind] for kind in EXITS if kind != "moved_out")
    figures.median("median_days_on_market", [days for _, days in within(part.left, since, day)] if speed else [])
    figures.share("relist_rate", counts["relisted"], counts["new"] + counts["relisted"])
    active = sum(covers(span, day) for span in part.spans)
    contracts = counts["pending"] + counts["closed"]
    figures.ratio("months_of_supply", active * width, counts["sold"] * MONTH)
    figures.ratio("months_to_contract", active * width, contracts * MONTH)
    figures.ratio("absorption_rate", contracts * MONTH, active * width)
    entered = [price for _, price in within(part.entered, since, day)]
    values["new_priced"] = len(entered)
    figures.median("median_new_price", entered)
    cuts = within(part.cuts, since, day)
    values["homes_cut"] = len({(home, cell) for _, home, cell, _ in cuts})
    before = sum(covers(span, since - 1) for span in part.spans)
    figures.share("homes_cut_share", values["homes_cut"], before + sum(counts[kind] for kind in ENTRIES))
    figures.median("median_price_cut", [share for _, _, _, share in cuts])
    firsts = within(part.first_cuts, since, day)
    values["first_cuts"] = len(firsts)
    figures.median("median_days_to_first_cut", [days for _, days in firsts])
    values["relisted_lower"] = sum(since <= at <= day for at in part.relisted_lower)
    return figures


def add_sales(figures, sales):
    values = figures.values
    prices = [price for _, price, _, _, _ in sales if price is not None]
    values["sales_priced"] = len(prices)
    figures.median("median_sale_price", prices)
    figures.mean("mean_sale_price", prices)
    values["sale_volume"] = sum(prices) if prices else None
    per_area = [price / area for _, price, area, _, _ in sales if price is not None and area]
    values["sales_priced_per_area"] = len(per_area)
    figures.median("median_sale_price_per_area", per_area)
    compared = [(price, last) for _, price, _, last, _ in sales if price is not None and last is not None]
    values["sales_compared"] = len(compared)
    figures.median("median_sale_to_list", [price / last for price, last in compared])
    figures.median("median_sale_to_original",
                   [price / first for _, price, _, _, first in sales if price is not None and first is not None])
    figures.share("sold_above_list", sum(price > last for price, last in compared), len(compared))
