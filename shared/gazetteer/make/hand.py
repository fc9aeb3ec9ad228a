"""The hand-written tables in `hand/`: names that the sources lack or give in another language."""

from pathlib import Path

FOLDER = Path(__file__).parent / "hand"


def table(name: str, columns: int) -> list[list[str]]:
    found = []
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            fields = line.split("\t")
            assert len(fields) <= columns, (name, line)
            found.append(fields + [""] * (columns - len(fields)))
    return found


class Hand:
    def __init__(self):
        self.regions = {(country, iso): (name, also) for country, iso, name, also in table("regions.tsv", 4)}
        self.cities = {(country, name): own for country, region, name, own, _ in table("cities.tsv", 5) if region == "-" and own}
        self.counties = {(country, name): own for country, name, own in table("counties.tsv", 3)}

    def region_name(self, country: str, iso: str) -> str:
        return self.regions.get((country, iso), ("", ""))[0]

    def city_name(self, country: str, name: str) -> str:
        return self.cities.get((country, name), name)

    def county_name(self, country: str, name: str) -> str:
        return self.counties.get((country, name), name)
