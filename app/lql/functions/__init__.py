"""The functions of the mapping language, a module for each family."""

from __future__ import annotations

from collections.abc import Mapping

from app.lql.functions.base import NOT_LITERAL, BadArgument, Function, catalogue

__all__ = ["FUNCTIONS", "NOT_LITERAL", "BadArgument", "Function"]

FUNCTIONS: Mapping[str, Function] = catalogue(())
