"""Reads the mapping language: text to syntax tree, or the places where it can't be read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from app.lql import tree
from app.lql.grammar import GRAMMAR
from app.lql.problems import LqlError, Problem
from app.lql.tree import Expression, Name, Span, Statement

MAX_DEPTH: Final = 100
"""How deep expressions may lie in each other. People write ten levels; more would only try the machine."""

MOST_UNREADABLE: Final = 100
"""Statements of a text; when so many can't be read, it is no LQL and the rest is not looked at."""

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f"}
ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
PIECE = re.compile(
    r"""--[^\n]*|\#[^\n]*|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|(?P<select>\bselect\b)|[\w.]+|\s+|.""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
SAME_OPERATOR = {"=": "==", "<>": "!="}

WORDS = {
    "NAME": "a name",
    "QUOTED": "a name in backticks",
    "TEXT": "a text in double quotes",
    "NUMBER": "a number",
    "KIND_NAME": "a kind such as string or int",
    "CAP_LIMIT": 'a limit such as 10 or "30d"',
    "COMPARE": "a comparison",
    "RPAR": "a closing bracket )",
    "LPAR": "an opening bracket (",
    "RSQB": "a closing bracket ]",
    "COMMA": "a comma",
}
KEYWORD_TERMINALS = frozenset(("INTO", "BY", "WHERE", "ALIAS", "KIND", "MERGEOP", "BETWEEN", "IN", "LIKE"))
STARTS = frozenset(("NAME", "QUOTED", "TEXT", "NUMBER", "MINUS", "LPAR"))
"""An expression can begin here when all of these are expected."""


def parse_expression(text: str) -> Expression:
    """An expression, alone or as `value IF condition ELSE other`. Raises LqlError."""
    found: Expression = _read(text, "choice")
    return found


def parse_condition(text: str) -> Expression:
    """What stands behind IF or WHERE. Raises LqlError."""
    found: Expression = _read(text, "test")
    return found


def parse_statements(text: str) -> list[Statement]:
    """All statements of a text. Raises LqlError with the first mistake of each statement that has one."""
    statements, problems = read_statements(text)
    if problems:
        raise LqlError(problems)
    return statements


def read_statements(text: str) -> tuple[list[Statement], list[Problem]]:
    """The statements of a text; where one can't be read, its mistake, and whatever follows it."""
    problems: list[Problem] = []
    statements: list[Statement] = []
    rest, read = text, 0
    while True:
        reader = Reader()
        try:
            parsed = _lark().parse(rest, start="statements")
        except UnexpectedInput as error:
            problem, place = _explain(rest, error)
            problems.append(problem)
            # What came before the mistake is read for itself, what comes behind it from the next statement on.
            begin, following = _neighbours(rest, read, place)
            before = rest[:begin]
            if before.strip():
                good, also = read_statements(before)
                statements += good
                problems += also
            if following is None or len(problems) >= MOST_UNREADABLE:
                return statements, problems
            read = following
            rest = re.sub(r"[^\n]", " ", rest[:following]) + rest[following:]
        else:
            found: list[Statement] = reader.transform(parsed)
            return statements + found, problems + reader.problems


def has_comments(text: str) -> bool:
    """Whether a text holds comments, which the tree does not keep."""
    return any(piece[0].startswith(("--", "#", "//", "/*")) for piece in PIECE.finditer(text))


def _neighbours(text: str, start: int, place: int) -> tuple[int, int | None]:
    """Where the statement around a place begins, from `start` on, and where the next one does, if there is one."""
    begin = start
    for piece in PIECE.finditer(text, start):
        if piece["select"]:
            if piece.start() > place:
                return begin, piece.start()
            if piece.start() < place:
                begin = piece.start()
        elif piece[0] == ";" and piece.start() >= place:
            return begin, piece.end()
    return begin, None


@cache
def _lark() -> Lark:
    return Lark(
        GRAMMAR,
        parser="lalr",
        lexer="contextual",
        start=["statements", "choice", "test"],
        propagate_positions=True,
        maybe_placeholders=False,
    )


def _read(text: str, start: str) -> Any:
    try:
        parsed = _lark().parse(text, start=start)
    except UnexpectedInput as error:
        raise LqlError([_explain(text, error)[0]]) from None
    reader = Reader()
    # A rule that only passes on a single token's node leaves no tree to transform.
    node = reader.transform(parsed)
    if not reader.problems:
        reader.check_depth(node)
    if reader.problems:
        raise LqlError(reader.problems)
    return node


def _explain(text: str, error: UnexpectedInput) -> tuple[Problem, int]:
    """A sentence about what can't stand where it stands, and the place in the text."""
    place: int | None = error.pos_in_stream
    place = len(text) if place is None else place
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        token = error.token
        if text.startswith("/*", place) or text.startswith("/*", max(place - 1, 0)):
            return Problem.at(_span_of(text, place, place + 1), "This comment has no end (*/)."), place
        shown = token if len(token) <= 40 else token[:39] + "…"
        span = _span_of(text, token.start_pos or 0, token.end_pos or 0)
        if re.search(r",\s*from\s*$", text[max(place - 200, 0) : place], re.IGNORECASE):
            return Problem.at(span, "The last column before FROM has no comma behind it."), place
        return Problem.at(span, f"{_quoted(shown)} can't stand here. {_expected(error.accepts)}"), place
    if isinstance(error, UnexpectedCharacters):
        return Problem.at(_span_of(text, place, place + 1), _about_character(text, place)), place
    end = len(text.rstrip())
    accepts = error.accepts if isinstance(error, UnexpectedToken) else set()
    message = f"The text ends too early. {_expected(accepts)}" if text.strip() else "There is nothing to read."
    return Problem.at(_span_of(text, max(end - 1, 0), end), message), end


def _quoted(text: str) -> str:
    return f"“{text}”"


def _about_character(text: str, place: int) -> str:
    character = text[place]
    if character == "`":
        return "This name in backticks is empty or has no closing backtick."
    if character in "\"'":
        return "This text has no closing quote."
    if character in "“”„‘’«»":
        return f'A text stands in straight double quotes ("), not in {character}.'
    if character.isdigit() or character == ".":
        return "A name that begins with a digit or a dot stands in backticks."
    if character.isalpha():
        return "A name with letters other than a to z stands in backticks."
    return f"The character {_quoted(character)} has no meaning here. Names that contain it stand in backticks."


def _expected(accepts: set[str] | None) -> str:
    """ "Expected is a comma or FROM." in words that people know; the few most likely ones."""
    left = set(accepts or ())
    words: list[str] = []
    if left >= STARTS:
        words.append("a field, a text, a number or a function")
        left -= STARTS | {"NOT", "BANG", "EXISTS", "AND", "OR", "LSQB"}
    order = ("RPAR", "RSQB", "COMMA", "FROM", "AS", "IF", "ELSE", "AND", "THEN", "SELECT", "$END")
    ranked = sorted(left, key=lambda name: (order.index(name) if name in order else len(order), name))
    known = [
        "the end" if name == "$END" else WORDS.get(name, name.replace("_", " "))
        for name in ranked
        if name in WORDS or (name in order) or (name in KEYWORD_TERMINALS and len(ranked) <= 6)
    ]
    words += known[: 4 - len(words)]
    if not words:
        return "Look at what comes before it."
    if len(words) == 1:
        return f"Expected is {words[0]}."
    return f"Expected is {', '.join(words[:-1])} or {words[-1]}."


def _span_of(text: str, start: int, end: int) -> Span:
    def point(place: int) -> tuple[int, int]:
        return text.count("\n", 0, place) + 1, place - (text.rfind("\n", 0, place) + 1) + 1

    return Span(*point(start), *point(max(end, start)))


def _unescape(match: re.Match[str]) -> str:
    if match[1]:
        character = chr(int(match[1], 16))
        return match[0] if 0xD800 <= ord(character) <= 0xDFFF else character
    # Patterns are full of \d and \w: what is no escape of a text stays as it is written.
    return ESCAPES.get(match[2], match[0])


def text_of(token: str) -> str:
    """The text that a quoted one stands for."""
    inner = token[1:-1]
    return ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def _span(meta: Meta | Token) -> Span:
    return Span(meta.line or 1, meta.column or 1, meta.end_line or 1, meta.end_column or 1)


Option = tuple[str, Any, Span]


@v_args(meta=True)
class Reader(Transformer_NonRecursive[Any, Any]):
    """Turns Lark's tree into ours, without recursion: depth is bounded by us, not by the interpreter."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[Problem] = []

    def problem(self, span: Span, message: str) -> None:
        self.problems.append(Problem.at(span, message))

    def check_depth(self, *roots: Expression | None) -> None:
        """A problem for an expression that lies too deep, so that nobody later has to fear for the stack."""
        level = [root for root in roots if root is not None]
        for _ in range(MAX_DEPTH):
            level = [child for node in level for child in tree.children(node)]
            if not level:
                return
        self.problem(level[0].at, f"Expressions lie in each other more than {MAX_DEPTH} levels deep. Split the column.")

    # Statements

    def statements(self, _meta: Meta, children: list[Any]) -> list[Statement]:
        return [child for child in children if isinstance(child, Statement)]

    def statement(self, meta: Meta, children: list[Any]) -> Statement:
        columns = tuple(child for child in children if isinstance(child, tree.Column))
        said: dict[str, Any] = {}
        for clause, value, span in (child for child in children if isinstance(child, tuple)):
            if clause in said:
                self.problem(span, f"{clause.upper()} stands twice in this statement.")
            said[clause] = value
        self.check_depth(said.get("where"))
        return Statement(
            columns, said.get("from"), said.get("into"), said.get("by", ()), said.get("where"), said.get("alias"),
            _span(meta),
        )  # fmt: skip

    def column(self, meta: Meta, children: list[Any]) -> tree.Column:
        expression, *options = children
        said: dict[str, Any] = {}
        for number, (option, value, span) in enumerate(options):
            if option == "if" and value[1] is not None:
                if number:
                    self.problem(span, "IF … ELSE stands right behind the value, before AS and the other options.")
                expression = tree.When(expression, value[0], value[1], span)
                continue
            if option in said:
                self.problem(span, f"{option.upper()} stands twice in this column.")
            said[option] = value
        self.check_depth(expression, said.get("if", (None,))[0])
        capacity, keep_days = said.get("cap", (None, None))
        return tree.Column(
            expression,
            said.get("as"),
            said["if"][0] if "if" in said else None,
            said.get("kind"),
            said.get("mergeop"),
            said.get("shortdesc"),
            said.get("longdesc"),
            capacity,
            keep_days,
            _span(meta),
        )

    def name(self, _meta: Meta, children: list[Token]) -> Name:
        token = children[0]
        return Name(token[1:-1] if token.type == "QUOTED" else str(token), _span(token))

    def as_name(self, meta: Meta, children: list[Any]) -> Option:
        return "as", children[1], _span(meta)

    def guard(self, meta: Meta, children: list[Any]) -> Option:
        return "if", (children[1], children[3] if len(children) > 2 else None), _span(meta)

    def short(self, meta: Meta, children: list[Token]) -> Option:
        return "shortdesc", text_of(children[1]), _span(meta)

    def long(self, meta: Meta, children: list[Token]) -> Option:
        return "longdesc", text_of(children[1]), _span(meta)

    def kind(self, meta: Meta, children: list[Token]) -> Option:
        return "kind", Name(children[1].lower(), _span(children[1])), _span(meta)

    def operator(self, meta: Meta, children: list[Any]) -> Option:
        return "mergeop", Name(children[1].text.lower(), children[1].at), _span(meta)

    def cap(self, meta: Meta, children: list[Any]) -> Option:
        return "cap", children[1], _span(meta)

    def limit(self, _meta: Meta, children: list[Token]) -> tuple[int | None, int | None]:
        token = children[0]
        text = text_of(token) if token.type == "TEXT" else str(token)
        capacity = keep_days = None
        for part in re.split(r"[\s,]+", text.strip()):
            if not re.fullmatch("[1-9][0-9]{0,8}[dD]?", part):
                self.problem(_span(token), 'CAP takes a number of entries, a number of days, or both: "10", "30d".')
                break
            if part[-1] in "dD":
                keep_days = int(part[:-1])
            else:
                capacity = int(part)
        return capacity, keep_days

    def from_stream(self, meta: Meta, children: list[Any]) -> Option:
        return "from", children[1], _span(meta)

    def into_table(self, meta: Meta, children: list[Any]) -> Option:
        return "into", children[1], _span(meta)

    def by_names(self, meta: Meta, children: list[Any]) -> Option:
        return "by", tuple(child for child in children if isinstance(child, Name)), _span(meta)

    def where(self, meta: Meta, children: list[Any]) -> Option:
        return "where", children[1], _span(meta)

    def alias(self, meta: Meta, children: list[Any]) -> Option:
        return "alias", children[1], _span(meta)

    # Expressions

    def when(self, meta: Meta, children: list[Any]) -> Expression:
        return tree.When(children[0], children[2], children[4] if len(children) > 3 else None, _span(meta))

    def any_of(self, meta: Meta, children: list[Any]) -> Expression:
        return tree.Logic("OR", _operands(children), at=_span(meta))

    def all_of(self, meta: Meta, children: list[Any]) -> Expression:
        return tree.Logic("AND", _operands(children), at=_span(meta))

    def all_listed(self, meta: Meta, children: list[Any]) -> Expression:
        return tree.Logic("AND", _operands(children), listed=True, at=_span(meta))

    def any_listed(self, meta: Meta, children: list[Any]) -> Expression:
        return tree.Logic("OR", _operands(children), listed=True, at=_span(meta))

    def negated(self, meta: Meta, children: list[Any]) -> Expression:
        return tree.Not(children[-1], _span(meta))

    def binary(self, meta: Meta, children: list[Any]) -> Expression:
        left, operator, right = children
        if operator.type.startswith("NOT_"):
            return tree.Not(tree.Binary(operator.type[4:], left, right, _span(meta)), _span(meta))
        word = operator.upper()
        return tree.Binary(SAME_OPERATOR.get(word, word), left, right, _span(meta))

    def between(self, meta: Meta, children: list[Any]) -> Expression:
        value, operator, low, _and, high = children
        test = tree.Between(value, low, high, _span(meta))
        return tree.Not(test, _span(meta)) if operator.type.startswith("NOT_") else test

    def exists(self, meta: Meta, children: list[Any]) -> Expression:
        return tree.Call("exists", tuple(children[1:]), _span(meta))

    def grouped(self, _meta: Meta, children: list[Any]) -> Expression:
        found: Expression = children[0]
        return found

    def text(self, meta: Meta, children: list[Token]) -> Expression:
        return tree.Literal(text_of(children[0]), _span(meta))

    def number(self, meta: Meta, children: list[Token]) -> Expression:
        return self._number(children[0], 1, _span(meta))

    def negative(self, meta: Meta, children: list[Token]) -> Expression:
        return self._number(children[1], -1, _span(meta))

    def _number(self, text: str, sign: int, span: Span) -> Expression:
        if text.isdigit() and len(text) < 20 and -(2**63) <= sign * int(text) < 2**63:
            return tree.Literal(sign * int(text), span)
        value = sign * float(text)
        if not math.isfinite(value):
            self.problem(span, "This number is too large.")
            value = 0.0
        return tree.Literal(value, span)

    def items(self, meta: Meta, children: list[Any]) -> Expression:
        return tree.Items(tuple(children), _span(meta))

    def field(self, meta: Meta, children: list[Token]) -> Expression:
        token = children[0]
        if token.type == "QUOTED":
            return tree.Field(token[1:-1], _span(meta))
        if token.lower() in CONSTANTS:
            return tree.Literal(CONSTANTS[token.lower()], _span(meta))
        return tree.Field(str(token), _span(meta))

    def star(self, meta: Meta, _children: list[Any]) -> Expression:
        return tree.Star(_span(meta))

    def cast_to(self, meta: Meta, children: list[Any]) -> Cast:
        return Cast(children[0], tree.Literal(children[2].lower(), _span(children[2])), _span(meta))

    def call(self, meta: Meta, children: list[Any]) -> Expression:
        token, *arguments = children
        name, span = token.lower(), _span(meta)
        if any(isinstance(argument, Cast) for argument in arguments):
            if name != "cast" or len(arguments) != 1:
                self.problem(span, "AS inside of brackets belongs to cast: cast(field AS int).")
            arguments = [part for argument in arguments for part in _parts(argument)]
        values: tuple[Expression, ...] = tuple(arguments)
        if name == "not" and len(values) == 1:
            return tree.Not(values[0], span)
        if name == "in" and len(values) > 1:
            one = len(values) == 2 and isinstance(values[1], tree.Items | tree.Field | tree.Call)
            return tree.Binary("IN", values[0], values[1] if one else tree.Items(values[1:], span), span)
        return tree.Call(name, values, span)


class Cast:
    """`value AS kind`, on its way into cast()."""

    def __init__(self, value: Expression, kind: tree.Literal, at: Span) -> None:
        self.value, self.kind, self.at = value, kind, at


def _parts(argument: Expression | Cast) -> Sequence[Expression]:
    return (argument.value, argument.kind) if isinstance(argument, Cast) else (argument,)


def _operands(children: list[Any]) -> tuple[Expression, ...]:
    return tuple(child for child in children if not isinstance(child, Token))
