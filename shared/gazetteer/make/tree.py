"""The tree of places, the comparison of names, and the text that the crate reads.

`fold` and `slug` equal those of src/fold.rs: within a parent, names with equal keys are one place.
"""

import re
import unicodedata

LETTERS = {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"}
SHORT = {"saint": "st", "sainte": "st", "ste": "st", "sankt": "st", "mount": "mt", "fort": "ft", "heights": "hts"}
JOINED = {"and", "und", "et", "y", "و"}
APOSTROPHES = "'’‘`´ʻʼʿ"


def plain(name: str) -> str:
    """Lower case, without diacritics, in letters that most keyboards have."""
    text = unicodedata.normalize("NFKD", name).lower()
    text = "".join(c for c in text if not unicodedata.category(c).startswith("M") and c not in APOSTROPHES)
    return "".join(LETTERS.get(c, c) for c in text)


def words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", plain(name)) if word]


def fold(name: str) -> str:
    """The key of a name: spellings of one name have equal keys."""
    parts = [arabic(SHORT.get(word, word)) for word in words(name) if word not in JOINED]
    key = "".join(parts or words(name))
    return key.replace("ae", "a").replace("oe", "o").replace("ue", "u") if len(key.encode()) > 3 else key


def arabic(word: str) -> str:
    """Without the article, with a final `ة` as `ه` and `ى` as `ي`."""
    if not "\u0600" <= word[0] < "\u0700":
        return word
    if len(word) > 4:
        word = word.removeprefix("ال")
    return word.translate({0x640: None, ord("ة"): "ه", ord("ى"): "ي", ord("ڭ"): "ك", ord("گ"): "ك"})


def slug(name: str) -> str:
    return "-".join(words(name))


class Place:
    """A place and the places inside. `level` is one of `c r n p q`: country, region, county, place, quarter."""

    def __init__(self, level: str, name: str, code: str = "", people: int = 0, zone: str = ""):
        self.level, self.name, self.code, self.people, self.zone = level, name, code, people, zone
        self.iso = self.admin1 = self.currency = ""
        self.also: set[str] = set()
        self.inner: dict[tuple[str, str], Place] = {}
        self.zips: list[tuple[int, int, int]] = []
        self.zones: dict[str, int] = {}

    def put(self, level: str, name: str, code: str = "", people: int = 0, zone: str = "") -> "Place":
        """The place of this level and name inside this one; created if it does not exist."""
        key = (level, fold(code or name))
        found = self.inner.get(key)
        if found is None:
            found = self.inner[key] = Place(level, name, code, people, zone)
        elif people > found.people:
            found.people, found.zone, found.name = people, zone or found.zone, name
        return found

    def get(self, level: str, name: str) -> "Place | None":
        return self.inner.get((level, fold(name)))

    def call(self, *names: str):
        """Adds other names of this place."""
        for name in names:
            name = name.strip()
            if name and fold(name) and fold(name) not in (fold(self.name), fold(self.code or "-")):
                self.also.add(name)

    def of_level(self, level: str):
        return sorted((p for (kind, _), p in self.inner.items() if kind == level), key=lambda p: (p.code or slug(p.name)))

    def settle(self):
        """Sums up people and sets zones from below: a place has the zone in which most of its people live."""
        for place in self.inner.values():
            place.settle()
            weight = max(place.people, 1)
            for zone, people in (place.zones or {place.zone: weight} if place.zone or place.zones else {}).items():
                self.zones[zone] = self.zones.get(zone, 0) + people
        if self.zones and self.level in "crn":
            self.zone = max(sorted(self.zones), key=lambda zone: self.zones[zone])
        if not self.people:
            self.people = sum(place.people for place in self.inner.values())

    def write(self, out: list[str], zone: str = "", currency: dict[str, str] = {}):
        """The lines, wide to narrow. A zone is written only if it differs from that of the parent."""
        own = self.zone if self.zone != zone else ""
        # The name of a place inside is not another name of the whole: Wieden is a district of Vienna, and Polish for Vienna.
        seen, also = {fold(place.name) for place in self.inner.values() if place.level == "q"}, []
        for name in sorted(self.also):
            if fold(name) not in seen:
                seen.add(fold(name))
                also.append(name)
        fields = {
            "c": [self.code, self.name, own, currency.get(self.code, "")],
            "r": [self.code, self.name, own],
            "n": [self.name, own],
            "p": [self.name, own, str(self.people) if self.people else ""],
            "q": [self.code, self.name],
        }[self.level]
        assert not any(set("\t\n|") & set(text) for text in [*fields, *also]), (fields, also)
        out.append("\t".join([self.level, *fields, "|".join(also)]).rstrip("\t"))
        inside = self.zone or zone
        if self.zips:
            out.append("z\t" + zip_line(self.zips))
        for level in "qpnr":
            for place in self.of_level(level):
                place.write(out, inside)


def zip_line(zips) -> str:
    """Codes and centroids (hundred-thousandths of a degree), as differences from the one before."""
    parts, last = [], (0, 0, 0)
    for code in sorted(set(zips)):
        code_, lat, lon = code
        if lat is None:
            parts.append(f"{code_ - last[0]}")
            last = (code_, last[1], last[2])
        else:
            parts.append(f"{code_ - last[0]},{lat - last[1]},{lon - last[2]}")
            last = code
    return " ".join(parts)
