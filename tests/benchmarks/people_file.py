"""Makes the CSV files that the benchmarks read: invented people, the same for the same number of rows.

python tests/benchmarks/people_file.py 1000000 people.csv
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

COLUMNS = (
    "email",
    "first_name",
    "last_name",
    "phone",
    "city",
    "country",
    "signup_date",
    "last_seen",
    "visits",
    "lifetime_value",
    "list_ids",
    "consent",
)
TYPES = dict(zip(COLUMNS, ("email", *["text"] * 5, "date", "date", "integer", "number", "text", "text"), strict=True))
FIRST = ("Aino", "Bruno", "Chloé", "Dario", "Elif", "Femi", "Greta", "Hugo", "Inés", "Jörg", "Kaisa", "Luca")
LAST = ("Aalto", "Brandt", "Castro", "Dubois", "Eriksen", "Fischer", "Grünwald", "Huang", "Ivanova", "O'Neill")
CITIES = (("Turku", "FI"), ("Köln", "DE"), ("Lyon", "FR"), ("Porto", "PT"), ("Austin", "US"), ("Springfield, IL", "US"))
SAME_PERSON = 0.05


def write_people(target: Path, rows: int) -> None:
    """Write `rows` rows of 12 columns; about one in twenty is about somebody who came before."""
    chance = random.Random(20_26)
    moment = "2026-{:02}-{:02}T{:02}:{:02}:17Z"
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in range(rows):
            person = chance.randrange(row) if row and chance.random() < SAME_PERSON else row
            city, country = chance.choice(CITIES)
            writer.writerow(
                (
                    f"person{person}@example{person % 97}.com",
                    chance.choice(FIRST),
                    chance.choice(LAST),
                    f"+358{chance.randrange(10**8, 10**9)}",
                    city if chance.random() > 0.01 else f"{city}\n(old town)",
                    country,
                    f"20{chance.randrange(15, 26)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
                    moment.format(
                        chance.randrange(1, 11), chance.randrange(1, 29), chance.randrange(24), chance.randrange(60)
                    ),
                    chance.randrange(40),
                    f"{chance.random() * 2000:.2f}",
                    ";".join(str(chance.randrange(1, 60)) for _ in range(chance.randrange(5))),
                    chance.choice(("yes", "no", "unknown")),
                )
            )


if __name__ == "__main__":
    write_people(Path(sys.argv[2]), int(sys.argv[1]))
