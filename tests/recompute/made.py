"""Random homes, the same for the same seed: rows on round numbers, with everything that a feed does to a history."""

import json
import math
import random
from datetime import datetime, timezone

from history import DAY

# Postal codes with their areas and how many of a hundred homes they have.
PLACES = {
    "98103": ("us/wa/king/seattle", 14, 1.1), "98115": ("us/wa/king/seattle", 14, 1.0),
    "98117": ("us/wa/king/seattle", 12, 1.0), "98118": ("us/wa/king/seattle", 10, 0.8),
    "98004": ("us/wa/king/bellevue", 6, 2.0), "98006": ("us/wa/king/bellevue", 5, 1.5),
    "98404": ("us/wa/pierce/tacoma", 5, 0.5), "98405": ("us/wa/pierce/tacoma", 4, 0.55),
    "97202": ("us/or/multnomah/portland", 7, 0.7), "97206": ("us/or/multnomah/portland", 7, 0.6),
    "60614": ("us/il/cook/chicago", 8, 0.8), "60618": ("us/il/cook/chicago", 7, 0.6),
    "60091": ("us/il/cook/wilmette", 1, 1.3),
}
TYPES = ("SingleFamilyResidence", "Condominium", "Townhouse", None)
FIRST = int(datetime(2025, 1, 3, tzinfo=timezone.utc).timestamp() * 1000)
DAYS = 430

MAP = """name = "made"
country = "US"
currency = "USD"
order = "any"

[fields]
native_id = { from = "id" }
observed_at = { from = "at", date = "rfc3339" }
purpose = { from = "purpose" }
status = { from = "status" }
list_price = { from = "price" }
original_list_price = { from = "original" }
close_price = { from = "close_price" }
close_date = { from = "close_date", date = "iso" }
listed_at = { from = "listed", date = "rfc3339" }
property_type = { from = "type" }
bedrooms = { from = "beds" }
living_area = { from = "area", unit = "sqft" }
postal_code = { from = "zip" }
"""


def text(time):
    return datetime.fromtimestamp(time / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Home:
    """One home's rows, step by step."""

    def __init__(self, number, random_, rows):
        self.random, self.rows = random_, rows
        self.time = FIRST + int(random_.uniform(-0.15, 0.97) * DAYS) * DAY + random_.randrange(DAY // 1000) * 1000
        self.time = max(self.time, FIRST + random_.randrange(DAY))
        self.end = FIRST + DAYS * DAY
        codes = list(PLACES)
        code = random_.choices(codes, [PLACES[one][1] for one in codes])[0]
        rent = random_.random() < 0.22
        kind = random_.choices(TYPES, (55, 30, 13, 2))[0]
        beds = random_.choices((None, 0, 1, 2, 3, 4, 5, 6, 11), (2, 2, 12, 28, 30, 17, 6, 2, 1))[0]
        area = None if random_.random() < 0.07 else 300 + 420 * (beds or 1) + random_.randrange(-150, 400)
        self.state = {"id": f"h{number}", "purpose": "rent" if rent else "sale", "zip": code, "type": kind, "beds": beds,
                      "area": area, "status": "Active", "price": None, "original": None, "listed": None,
                      "close_price": None, "close_date": None}
        self.ask()
        if random_.random() < 0.003:
            self.state["price"] = max(100, self.state["price"] // 120 if not rent else self.state["price"] * 120)
        self.list_date()

    def ask(self, factor=1.0):
        """A new asking price, on a round number."""
        random_, state = self.random, self.state
        trend = 1 + 0.08 * math.sin((self.time - FIRST) / DAY / 60) + 0.0003 * (self.time - FIRST) / DAY
        worth = 600_000 * PLACES[state["zip"]][2] * trend * (0.5 + 0.2 * (state["beds"] or 1))
        worth *= math.exp(random_.gauss(0, 0.3)) * factor
        if state["purpose"] == "rent":
            state["price"] = max(300, int(worth / 260) // 25 * 25)
        else:
            state["price"] = self.round(worth)

    def round(self, worth):
        step = self.random.choice((1_000, 5_000, 5_000, 10_000, 25_000, 50_000))
        price = max(20_000, int(worth) // step * step)
        return price - 100 if self.random.random() < 0.2 else price

    def list_date(self):
        chance = self.random.random()
        before = 0 if chance < 0.5 else self.random.choice((1, 2, 5, 9, 20, 60))
        self.state["listed"] = text(self.time - before * DAY - self.random.randrange(3600) * 1000) if chance < 0.7 else None

    def show(self, **changes):
        self.state.update(changes)
        if self.time < self.end:
            self.rows.append({"at": text(self.time), **self.state})

    def wait(self, low, high):
        self.time += int(self.random.uniform(low, high) * DAY)

    def live(self):
        start = self.random.random()
        if start < 0.04:
            self.show(status="ComingSoon")
            self.wait(1, 10)
        elif start < 0.07:
            self.show(status="Pending")
            self.wait(1, 20)
        elif start < 0.09:
            self.show(status="Withdrawn")
            self.wait(1, 120)
        elif start < 0.12:
            self.sell(self.random.random() < 0.7)
            self.wait(30, 200)
            self.reset()
        if self.random.random() < 0.15:
            self.state["original"] = self.state["price"]
        self.show(status="Active")
        while self.time < self.end:
            if not self.step():
                break

    def step(self):
        status = self.state["status"]
        if status == "Active":
            self.wait(1, 34)
            return self.active()
        if status in ("Pending", "ActiveUnderContract"):
            self.wait(2, 50)
            return self.pending()
        if status == "Closed":
            return self.closed()
        self.wait(1, self.random.choice((3, 40, 130, 450)))
        return self.off()

    def active(self):
        chance = self.random.random()
        price = self.state["price"]
        if chance < 0.27:
            self.cut()
        elif chance < 0.31:
            self.cut(1.0, 1.12)
        elif chance < 0.33:
            self.slip(price)
        elif chance < 0.35:
            self.show(price=None)
            self.wait(0.1, 9)
            self.show(price=price)
        elif chance < 0.37:
            self.show(beds=self.random.choice((1, 2, 3, 4)), type=self.random.choice(TYPES))
        elif chance < 0.375:
            self.show(zip=self.random.choice(list(PLACES)))
        elif chance < 0.38:
            self.another()
        elif chance < 0.395:
            self.flicker()
        elif chance < 0.62:
            self.show(status=self.random.choice(("Pending", "Pending", "ActiveUnderContract")))
        elif chance < 0.67:
            self.sell(True)
        elif chance < 0.78:
            self.show(status=self.random.choice(("Withdrawn", "Canceled", "Expired", "Hold")))
        else:
            self.show()                            # nothing changed
        return True

    def pending(self):
        chance = self.random.random()
        if chance < 0.7:
            self.sell(self.random.random() < 0.8)
        elif chance < 0.85:
            self.show(status="Active")
        elif chance < 0.9:
            self.cut()
        else:
            self.show(status=self.random.choice(("Withdrawn", "Canceled", "ComingSoon")))
        return True

    def off(self):
        chance = self.random.random()
        if chance < 0.3:
            return False
        if chance < 0.45:
            self.ask()
        elif chance < 0.5:
            self.state["purpose"] = "rent" if self.state["purpose"] == "sale" else "sale"
            self.ask()
        elif chance < 0.55:
            self.show(price=self.round(self.state["price"] * 0.9) if self.state["price"] else None)
            return True
        elif chance < 0.6:
            self.sell(True)
            return True
        if self.random.random() < 0.6:
            self.list_date()
        self.show(status=self.random.choice(("Active", "Active", "Active", "Pending")))
        return True

    def closed(self):
        self.wait(1, 12)
        chance = self.random.random()
        if chance < 0.25:                          # the price comes later
            self.show(close_price=self.state["close_price"] or self.near(self.state["price"]),
                      close_date=text(self.time - 3 * DAY)[:10])
        if chance > 0.3:
            return False
        self.wait(20, 320)
        if chance < 0.06:                          # sold again, never seen on offer
            self.show(close_price=self.near(self.state["close_price"]), close_date=text(self.time - DAY)[:10])
            return True
        self.reset()
        self.ask()
        self.list_date()
        self.show(status="Active")
        return True

    def reset(self):
        self.state.update(close_price=None, close_date=None, original=None)

    def near(self, price):
        if price is None:
            return None
        return int(price * self.random.choice((1, 1, 0.985, 0.97, 1.02, 1.05, 0.9)))

    def sell(self, dated):
        near = self.near(self.state["price"])
        if self.random.random() < 0.02:
            near = 10                              # a deed's ten dollars
        self.show(status="Closed", close_price=near if self.random.random() < 0.8 else None,
                  close_date=text(self.time - self.random.choice((0, 0, 1, 3, 9)) * DAY)[:10] if dated else None)

    def cut(self, low=0.85, high=0.995):
        price = self.state["price"]
        if price is None:
            return
        if self.state["purpose"] == "rent":
            self.show(price=max(100, int(price * self.random.uniform(low, high)) // 5 * 5))
        else:
            self.show(price=max(5_000, int(price * self.random.uniform(low, high)) // 500 * 500))

    def slip(self, price):
        """A typing mistake or a placeholder, of a day or longer."""
        if price is None:
            return
        self.show(price=self.random.choice((price * 10, max(100, price // 10), 111_111, 1_234_567, 123_456)))
        self.wait(*self.random.choice(((0.02, 0.3), (0.1, 0.9), (1.1, 4))))
        if self.random.random() < 0.5:
            self.show()
            self.wait(0.05, 2)
        self.show(price=price)

    def another(self):
        """The portal gives the ID to another home."""
        state = self.state
        beds = (state["beds"] or 1) + self.random.choice((1, 2))
        area = int((state["area"] or 900) * self.random.choice((1.5, 1.7, 2.5)))
        if self.random.random() < 0.5:
            state["zip"] = self.random.choice([code for code in PLACES if code != state["zip"]])
            self.ask()
        elif state["price"] is not None:
            state["price"] = int(state["price"] * self.random.choice((2, 2.4))) // 500 * 500
        self.reset()
        self.show(beds=beds, area=area, status=self.random.choice(("Active", "Active", "Pending", "Closed", "Withdrawn")))

    def flicker(self):
        """Several prices within hours, and rows of one moment, which only their order in the file tells apart."""
        price = self.state["price"]
        if price is None:
            return
        for factor in self.random.choice(((1.02, 1.0, 0.98), (0.97, 0.99), (0.95, 1.0, 0.95, 1.0))):
            self.show(price=int(price * factor) // 5 * 5)
            if self.random.random() < 0.7:
                self.wait(0.01, 0.2)


def make(homes, seed):
    """Rows of two files: the second one brings rows of earlier moments late."""
    random_ = random.Random(seed)
    rows = []
    for number in range(homes):
        Home(number, random_, rows).live()
    rows.sort(key=lambda row: row["at"])           # stable: rows of one home and moment stay in order
    for place in range(0, len(rows) - 60, 60):     # the file is not quite in order of time
        rows[place:place + 60] = shuffled(rows[place:place + 60], random_)
    late = {row["id"] for row in rows if random_.random() < 0.02}
    late_rows = [row for row in rows if row["id"] in late and random_.random() < 0.3]
    chosen = {(row["id"], row["at"]) for row in late_rows}
    late_rows = [row for row in rows if (row["id"], row["at"]) in chosen]
    return [row for row in rows if (row["id"], row["at"]) not in chosen], late_rows


def shuffled(rows, random_):
    """In another order, but rows of one home and moment in theirs."""
    order = {}
    for row in rows:
        order.setdefault((row["id"], row["at"]), random_.random())
    return sorted(rows, key=lambda row: order[(row["id"], row["at"])])


def write(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({name: value for name, value in row.items() if value is not None}) + "\n")
