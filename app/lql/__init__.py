"""The mapping language, from text to what a field keeps: read, check, print, compile. It knows no workspace."""

from app.lql.checker import check_statements, columns_of, kind_of
from app.lql.compiler import Compiled, compile_expression
from app.lql.evaluation import evaluate
from app.lql.events import flatten, values_of
from app.lql.functions import FUNCTIONS, Function
from app.lql.kinds import MERGE_OPERATORS
from app.lql.parser import parse_condition, parse_expression, parse_statements
from app.lql.printer import print_expression, print_statement, quote, quote_text
from app.lql.problems import LqlError, Problem
from app.lql.statements import ColumnField, ColumnMapping, statement_mappings
from app.lql.tree import Expression, Statement

__all__ = [
    "FUNCTIONS",
    "MERGE_OPERATORS",
    "ColumnField",
    "ColumnMapping",
    "Compiled",
    "Expression",
    "Function",
    "LqlError",
    "Problem",
    "Statement",
    "check_statements",
    "columns_of",
    "compile_expression",
    "evaluate",
    "flatten",
    "kind_of",
    "parse_condition",
    "parse_expression",
    "parse_statements",
    "print_expression",
    "print_statement",
    "quote",
    "quote_text",
    "statement_mappings",
    "values_of",
]
