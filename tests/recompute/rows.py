"""Reads the rows of a replay: only the columns that enter figures."""

import csv
import gzip
import json
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from history import DAY, Facts, Row

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def milliseconds(moment):
    return (moment - EPOCH) // timedelta(milliseconds=1)


def rfc3339(text):
    return None if text is None else milliseconds(datetime.fromisoformat(text.replace("Z", "+00:00")))


def day_of(text):
    return None if text is None else (datetime.fromisoformat(text[:10] + "T00:00:00+00:00") - EPOCH).days


def cents(text):
    """Zero and less are no price."""
    if text in (None, ""):
        return None
    value = int(Decimal(str(text)) * 100)
    return value if value > 0 else None


def list_price(value, terms):
    """Outside these bounds it is left out; docs/SOURCES.md, price bounds."""
    ten = {"USD": 0, "MAD": 1}[terms[1]]
    low, high = (2, 10) if terms[0] == "sale" else (1, 8)
    return value if value is not None and 10 ** (ten + low + 2) <= value <= 10 ** (ten + high + 2) else None


class Zones:
    """Civil days of moments, by the zone of the longest path that is known."""

    def __init__(self, by_path):
        self.by_path, self.cache = by_path, {}

    def zone(self, path):
        parts = path.split("/")
        for length in range(len(parts), 0, -1):
            name = self.by_path.get("/".join(parts[:length]))
            if name is not None:
                return name
        return "UTC"

    def day(self, path, time):
        quarter = (path, time // 900_000)
        if quarter not in self.cache:
            local = (EPOCH + timedelta(milliseconds=time)).astimezone(ZoneInfo(self.zone(path)))
            self.cache[quarter] = (local.date() - EPOCH.date()).days
        return self.cache[quarter]


def in_order(rows):
    """Gives each row its position among the differing rows of one home and moment, in the order of the file."""
    earlier, result = {}, []
    for home, time, facts, listed in rows:
        known = earlier.setdefault((home, time), set())
        if (facts, listed) not in known:           # one that repeats an earlier one of the moment says nothing new
            result.append(Row(home, time, len(known), facts, listed))
            known.add((facts, listed))
    return result


def of_made(rows, places):
    """Rows of made.py; a closing price and date count of closed rows only."""
    result = []
    for row in rows:
        closed = row["status"] == "Closed"
        terms = (row["purpose"], "USD")
        market = (f"{places[row['zip']][0]}/{row['zip']}", *terms)
        facts = Facts(market, row["status"], list_price(cents(row["price"]), terms), cents(row["original"]),
                      cents(row["close_price"]) if closed else None, day_of(row["close_date"]) if closed else None,
                      row["type"], row["beds"], row["area"])
        result.append(("made/" + row["id"], rfc3339(row["at"]), facts, rfc3339(row["listed"])))
    return in_order(result)


def of_king_county(path, markets):
    """maps/kc-house-sales.toml; `markets`: the paths by postal code."""
    zone, result = ZoneInfo("America/Los_Angeles"), []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            local = datetime.strptime(row["date"], "%Y%m%dT%H%M%S")
            area = float(row["sqft_living"])
            facts = Facts((markets[row["zipcode"]], "sale", "USD"), "Closed", None, None, cents(row["price"]),
                          (local.replace(tzinfo=timezone.utc) - EPOCH).days, "SingleFamilyResidence",
                          int(row["bedrooms"]), area or None)
            result.append(("kc/" + row["id"], milliseconds(local.replace(tzinfo=zone)), facts, None))
    return in_order(result)


ZILLOW = {"Listed for sale": "Active", "Listed for rent": "Active", "Price change": "Active", "Pending sale": "Pending",
          "Contingent": "ActiveUnderContract", "Sold": "Closed", "Listing removed": "Withdrawn"}


def of_zillow(path, market):
    """maps/zillow-price-history.toml: the newest row first, also of one moment."""
    result = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rent = row["posting_is_rental"].lower() == "true"
            status, time = ZILLOW[row["event"]], int(row["time_ms"])
            terms = ("rent" if rent else "sale", "USD")
            sold = row["event"] == "Sold"
            facts = Facts((market, *terms), status, None if sold else list_price(cents(row["price"]), terms), None,
                          cents(row["price"]) if sold else None, time // DAY if sold else None, None, None, None)
            home = f"zillow/{row['zpid']}" + (":rent" if rent else "")
            result.append((home, time, facts, None))
    return in_order(reversed(result))


NUMBER = re.compile(r"\d[\d\u202f\u00a0 ]*(?:,\d+)?")


def french(text):
    found = NUMBER.search(text or "")
    return float(re.sub(r"[\u202f\u00a0 ]", "", found[0]).replace(",", ".")) if found else None


UNITS = {"seconde": 1, "minute": 60, "heure": 3600, "jour": 86400, "semaine": 604800, "mois": 2592000, "an": 31536000}


def ago(text, seen):
    """"il y a 5 heures", before the time of the scrape."""
    found = re.match(r"il y a (\d+|une?) (\w+?)s?$", (text or "").strip())
    if not found:
        return None
    unit = "mois" if found[2] in ("moi", "mois") else found[2]
    return seen - (1 if found[1].startswith("un") else int(found[1])) * UNITS[unit] * 1000


def of_avito(paths, markets, market_then):
    """maps/avito-2024.toml. `markets`: the path of each home now, from which the paths of city and quarter are learnt;
    `market_then` gives that of a home at a moment, for the few whose place no home has now."""
    scraped = []
    for path in sorted(paths):
        stamp = re.search(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2})-(\d{2}))?", path)
        seen = rfc3339(f"{stamp[1]}T{stamp[2] or '00'}:{stamp[3] or '00'}:00Z")
        with open(path, encoding="utf-8") as file:
            for row in json.load(file):
                native = re.search(r"(\d+)\.htm$", row["url"])
                scraped.append((f"avito/{native[1]}", seen, (row["city"], row["attributes"].get("Secteur")), row))
    last = {home: place for home, _, place, _ in scraped}
    learnt = {place: markets[home] for home, place in last.items() if home in markets}
    return in_order([of_scrape(home, seen, learnt.get(place) or market_then(home, seen), row)
                     for home, seen, place, row in scraped if home in markets])


def of_scrape(home, seen, market, row):
    attributes = row["attributes"]
    price = None if row["price"] == "Prix non spécifié" else french(row["price"])
    area = french(attributes.get("Surface habitable")) or french((row["total_area"] or "").replace("m²", ""))
    kind = "Apartment" if attributes.get("Type") == "Appartements, à vendre" else \
        None if attributes.get("Type") is None else "Other"
    beds = re.match(r"\d+", row["n_bedrooms"] or "")
    terms = ("sale", "MAD")
    facts = Facts((market, *terms), "Active", list_price(cents(price), terms), None, None, None, kind,
                  int(beds[0]) if beds else None, area or None)
    return home, seen, facts, ago(row["time"], seen)
