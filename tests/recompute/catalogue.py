"""What the tables of docs/METRICS.md promise of each figure."""

import os
import re

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ROUNDING = {"currency": 0.005, "currency per area": 0.005, "1 = 100 %": 0.00005, "months": 0.005, "days": 0.0,
            "homes": 0.0, "events": 0.0}
TINY = 1e-9


class Figure:
    def __init__(self, unit, within, interval):
        self.unit, self.within, self.interval = unit, within, interval

    def allowed(self, value):
        return self.within * abs(value) + ROUNDING[self.unit] + TINY * max(1.0, abs(value))

    def allowed_end(self, value):
        """The ends of intervals are the outer ends of buckets, which are twice as wide as `within`."""
        return 2 * self.within * abs(value) + ROUNDING[self.unit] + TINY * max(1.0, abs(value))


def read():
    figures = {}
    with open(os.path.join(ROOT, "docs", "METRICS.md"), encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.split("|")][1:-1]
            name = re.fullmatch(r"`(\w+)`", cells[0]) if len(cells) == 9 else None
            if name:
                within = float(cells[5].rstrip("% ")) / 100 if cells[5] else 0.0
                figures[name[1]] = Figure(cells[2], within, cells[6])
    for name in ("median_sale_to_list", "median_sale_to_original"):      # half a basis point, twice: value and rounding
        figures[name].within, figures[name].unit = 0.0, "ratio"
    ROUNDING["ratio"] = 0.0001
    return figures
