"""The functions of the mapping language, a module for each family."""

from __future__ import annotations

from collections.abc import Mapping

from app.lql.functions.aggregates import AGGREGATES
from app.lql.functions.base import NOT_LITERAL, BadArgument, Function, catalogue
from app.lql.functions.casts import CASTING
from app.lql.functions.containers import CONTAINERS
from app.lql.functions.dates import DATES
from app.lql.functions.filters import FILTERS
from app.lql.functions.hashes import HASHES
from app.lql.functions.logic import LOGIC
from app.lql.functions.numbers import NUMERIC
from app.lql.functions.text import TEXT
from app.lql.functions.web import WEB

__all__ = ["FUNCTIONS", "NOT_LITERAL", "BadArgument", "Function"]

FUNCTIONS: Mapping[str, Function] = catalogue(
    (LOGIC, TEXT, HASHES, CASTING, DATES, CONTAINERS, WEB, NUMERIC, AGGREGATES, FILTERS)
)
