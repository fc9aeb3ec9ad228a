"""Compares what Stoop prints of an area with what this program computes of its homes."""

from collections import defaultdict
from datetime import date

import figures
from events import Part, within

EPOCH = date(1970, 1, 1).toordinal()
LEVELS = ("country", "region", "county", "city", "postal code")


class Tally:
    """Counts comparisons and keeps the differences."""

    def __init__(self):
        self.compared, self.by_figure = 0, defaultdict(int)
        self.wrong, self.errors, self.unknown = [], defaultdict(list), set()

    def check(self, where, figure, ours, theirs, allowed=0.0):
        self.compared += 1
        self.by_figure[figure.split("[")[0]] += 1
        if ours is None or theirs is None or isinstance(ours, (bool, str)):
            right = ours == theirs
        else:
            right = abs(ours - theirs) <= allowed
        if not right:
            self.wrong.append((*where, figure, ours, theirs, allowed))

    def error(self, kind, level, size):
        self.errors[kind, level].append(size)


def iso(day):
    return date.fromordinal(EPOCH + day).isoformat()


def day_number(text):
    return date.fromisoformat(text).toordinal() - EPOCH


def segment_of(label):
    """From a label such as "Condominium, 2 bedrooms" to the key of the segment."""
    parts = label.split(", ")
    found = [bedrooms(part) for part in parts]
    if len(parts) == 2:
        return "cell", type_of(parts[0]), found[1]
    return ("beds", found[0]) if found[0] != "none" else ("type", type_of(parts[0]))


def type_of(label):
    return None if label == "unknown type" else label


def bedrooms(label):
    if label == "studio":
        return 0
    if label == "unknown bedrooms":
        return None
    words = label.split(" ")
    return int(words[0].rstrip("+")) if words[-1].startswith("bedroom") else "none"


class Area:
    """The parts of all markets of an area, put together."""

    def __init__(self, path, purpose, markets):
        self.path, self.purpose = path, purpose
        self.parts, self.codes = {}, set()
        for (market, segment), part in markets.parts.items():
            if market[1] == purpose and (market[0] == path or market[0].startswith(path + "/")):
                self.codes.add(market[0])
                whole = self.parts.setdefault(segment, Part())
                for name, records in vars(part).items():
                    getattr(whole, name).extend(records)
        for part in self.parts.values():
            part.order()
        self.level = LEVELS[path.count("/")]
        self.wide = self.codes != {path}

    def whole(self):
        return self.parts.get(None, Part())


class Comparison:
    def __init__(self, tally, catalogue, area, moment, newest):
        self.tally, self.catalogue, self.area = tally, catalogue, area
        self.moment, self.newest = moment, newest
        self.where = (f"{area.path}:{area.purpose}", moment)

    def figure(self, place, name, ours, theirs, slack=0):
        about = self.catalogue.get(name)
        if about is None:
            self.tally.check(self.where, place + name, ours, theirs)
            return
        if ours is not None and about.unit.startswith("currency"):
            ours /= 100
        self.tally.check(self.where, place + name, ours, theirs, 0 if ours is None else about.allowed(ours) + slack / 100)

    def block(self, place, ours, theirs):
        """A block of figures of Stoop's JSON and its intervals."""
        for name, value in ours.values.items():
            if name in theirs:
                self.figure(place, name, value, theirs[name], ours.slack.get(name, 0))
            else:
                self.tally.check(self.where, place + name, value, "absent")
        given = theirs.get("intervals", {})
        for name, ends in ours.intervals.items():
            about, found = self.catalogue[name], given.get(name)
            scale = 100 if about.unit.startswith("currency") else 1
            for end, place_ in (("low", 0), ("high", 1)):
                value = None if ends is None or ends[place_] is None else ends[place_] / scale
                self.tally.check(self.where, f"{place}intervals.{name}[{end}]", value, found and found[end],
                                 0 if value is None else about.allowed_end(value))
        for name in given:
            if name not in ours.intervals:
                self.tally.unknown.add(f"intervals.{name}")

    def segment(self, place, part, theirs, day, hour, whole):
        speed, part = whole or not self.area.wide, part.near(day)
        ours = figures.levels(part, day, speed)
        self.block(place, ours, theirs)
        for width in (7, 28, 90):
            self.block(f"{place}last_{width}_days.", figures.window(part, day, width, speed), theirs[f"last_{width}_days"])
        hours = theirs["last_24_hours"]
        if hours is None:
            self.tally.check(self.where, place + "last_24_hours", self.newest - hour < 8 * 24, False)
        else:
            for name, count in figures.flows_of_hours(part, hour).items():
                self.tally.check(self.where, f"{place}last_24_hours.{name}", count, hours[name])
        if whole and ours.values["median_price"] is not None and theirs["median_price"] is not None:
            size = "from 500" if ours.values["priced"] >= 500 else "fewer"
            exact = ours.values["median_price"] / 100
            self.tally.error(f"median, {size}", self.area.level, abs(theirs["median_price"] / exact - 1))
        return ours

    def whole(self, theirs, day, hour):
        self.segment("", self.area.whole(), theirs, day, hour, True)

    def segments(self, theirs, day, hour):
        seen = set()
        for kind in ("property_types", "bedrooms", "cells"):
            for row in theirs[kind]:
                key = segment_of(row["label"])
                seen.add(key)
                self.segment(f"{row['label']}: ", self.area.parts.get(key, Part()), row, day, hour, False)
        for key, part in self.area.parts.items():
            if key is not None and key not in seen and recent(part, day):
                self.tally.check(self.where, f"{key}", "in the list", "absent")


def recent(part, day):
    """Whether a segment had homes on offer or flows within 90 days."""
    return any(figures.covers(span, day) for span in part.spans) or \
        bool(within(part.flows, day - 89, day))
