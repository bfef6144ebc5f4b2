"""Files of an invented coffee roaster: members, orders, guests of a tasting. No real person, the same every time.

Some people stand in all three files under the same address, some rows are broken on purpose.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SEED = 1907
SHOP = "Northbeam Coffee"
MEMBERS = 5_000
BUYERS_WHO_ARE_NO_MEMBERS = 900
ORDERS = 12_000
GUESTS = 420
FIRST_STARTS = ("Ma", "Li", "Jo", "Ka", "Se", "Ro", "Ti", "An", "Ei", "Nu", "Vé", "Ås", "Øy", "Jú", "Bo", "El")
FIRST_ENDS = ("ja", "na", "ris", "vin", "lle", "mar", "ta", "nor", "sa", "rik", "dine", "ro")
LAST_STARTS = ("Lind", "Berg", "Hal", "Nor", "Ek", "Sund", "Fors", "Grön", "Ash", "Holm", "Ros", "Vinter")
LAST_ENDS = ("holm", "ström", "qvist", "by", "dal", "mark", "wood", "ley", "sen", "gaard", "er", "feld")
TOWNS = (
    ("Malmö", "SE"), ("Uppsala", "SE"), ("Berlin", "DE"), ("Köln", "DE"), ("Graz", "AT"), ("Aarhus", "DK"),
    ("Bergen", "NO"), ("Tampere", "FI"), ("Gent", "BE"), ("Lyon", "FR"), ("Porto", "PT"), ("Leeds", "GB"),
)  # fmt: skip
TIERS = ("basic", "silver", "gold")
PRODUCTS = (
    ("House espresso 1 kg", 24.50), ("Filter blend 500 g", 14.90), ("Decaf 250 g", 9.80), ("Ethiopia 250 g", 13.40),
    ("Paper filters", 4.20), ("Hand grinder", 79.00), ("Dripper", 22.00), ("Gift card", 30.00),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    email: str
    first: str
    last: str
    town: str
    country: str


def write_files(server: Path, local: Path) -> None:
    """Write loyalty-members.csv and orders.csv.gz into `server`, event-attendees.csv into `local`."""
    chance = random.Random(SEED)
    people = _people(chance, MEMBERS + BUYERS_WHO_ARE_NO_MEMBERS)
    today = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    _write_members(server / "loyalty-members.csv", chance, people[:MEMBERS], today)
    _write_orders(server / "orders.csv.gz", chance, people, today)
    _write_attendees(local / "event-attendees.csv", chance, people, today)


def _people(chance: random.Random, count: int) -> list[Person]:
    people = []
    for number in range(count):
        first = chance.choice(FIRST_STARTS) + chance.choice(FIRST_ENDS)
        last = chance.choice(LAST_STARTS) + chance.choice(LAST_ENDS)
        town, country = chance.choice(TOWNS)
        plain = f"{first}.{last}".lower().translate(str.maketrans("éåøúöäü", "eaouoau"))
        people.append(
            Person(f"{plain}.{number}@example.{chance.choice(('com', 'org', 'net'))}", first, last, town, country)
        )
    return people


def _moment(chance: random.Random, today: datetime, days: int) -> datetime:
    return today - timedelta(seconds=chance.randrange(days * 86_400))


def _write_members(target: Path, chance: random.Random, members: list[Person], today: datetime) -> None:
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("email", "member_id", "first", "last", "town", "country", "points", "tier", "newsletter", "updated_at")
        )
        for number, person in enumerate(members):
            points = int(chance.expovariate(1 / 600))
            writer.writerow(
                (
                    person.email,
                    f"NB-{number:06}",
                    person.first,
                    person.last,
                    person.town,
                    person.country,
                    points,
                    TIERS[min(2, points // 800)],
                    chance.choice(("true", "false")),
                    _moment(chance, today, 400).strftime("%Y-%m-%dT%H:%M:%SZ"),
                )
            )


def _write_orders(target: Path, chance: random.Random, people: list[Person], today: datetime) -> None:
    """As an old shop program writes them: semicolons, Windows-1252, packed, addresses in any letter case."""
    orders = sorted((_moment(chance, today, 300), number) for number in range(ORDERS))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(("Order no", "Customer e-mail", "City", "Product", "Total", "Order date"))
    for number, (moment, _) in enumerate(orders, start=20_001):
        # A few people order often, most of them seldom.
        person = people[int(len(people) * chance.random() ** 2)]
        product, price = chance.choice(PRODUCTS)
        writer.writerow(
            (
                f"W{number}",
                person.email.title() if chance.random() < 0.1 else person.email,
                person.town,
                product,
                f"{price * chance.randint(1, 4):.2f}",
                moment.strftime("%Y-%m-%d %H:%M:%S"),
            )
        )
    with gzip.GzipFile(target, "wb", mtime=0) as file:
        file.write(text.getvalue().encode("cp1252"))


def _write_attendees(target: Path, chance: random.Random, people: list[Person], today: datetime) -> None:
    with target.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(("Name", "E-Mail", "Tasting", "Checked in"))
        for number, person in enumerate(chance.sample(people, GUESTS)):
            row = [
                f"{person.first} {person.last}",
                person.email,
                chance.choice(("Morning", "Afternoon")),
                (today - timedelta(days=2, minutes=chance.randrange(240))).strftime("%Y-%m-%dT%H:%M:%SZ"),
            ]
            if number % 35 == 17:
                row.append("typed into the wrong cell")
            writer.writerow(row)
