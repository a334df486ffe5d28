"""Label and field selectors, as queries carry them and as objects do.

Source: apimachinery/pkg/labels/selector.go and pkg/fields/selector.go.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from .status import bad_request
from .validate_errors import FieldError, aggregate, invalid
from .validate_names import label_value, qualified_name

Json = dict[str, Any]
Labels = Mapping[str, str]
Matcher = Callable[[Labels], bool]

BINARY = ("in", "notin", "=", "==", "!=", "gt", "lt")
_SYMBOLS = (")", ",", "!", "==", "=", ">", "<", "!=", "(")
_TOKEN = re.compile(r"[ \t\r\n]*([=!(),><]+|[^=!(),>< \t\r\n]+)?")
_EQUALITY = re.compile(
    r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?={1,2}([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?"
)


class Requirement(Struct, frozen=True):
    """One condition. ``operator`` is one of in, notin, =, ==, !=, gt, lt, exists, ``!``."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return value in self.values
            case "notin" | "!=":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        return value is not None and _compares(self.operator, value, self.values[0])

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        sign = {"gt": ">", "lt": "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{self.values[0]}"


def _compares(operator: str, value: str, bound: str) -> bool:
    if not re.fullmatch(r"[+-]?\d+", value):
        return False
    return int(value) > int(bound) if operator == "gt" else int(value) < int(bound)


def matcher(requirements: Iterable[Requirement]) -> Matcher:
    """One predicate of all; equality alone, the common case, is one comparison of sets."""
    needed = tuple(requirements)
    if all(one.operator in ("=", "==") for one in needed):
        wanted = {one.key: one.values[0] for one in needed}
        if len(wanted) == len(needed):
            items = wanted.items()
            return lambda labels: items <= labels.items()
    return lambda labels: all(one.matches(labels) for one in needed)


# ----------------------------------------------------------------------------------------------------------- label text


def parse_labels(text: str) -> Matcher:
    """What ``?labelSelector=`` asks for. Raises Refusal (400) with the real parser's words."""
    return matcher(parse_requirements(text))


def parse_requirements(text: str) -> list[Requirement]:
    """The conditions in the order of their keys. Raises Refusal (400)."""
    terms = text.split(",")
    if all(_EQUALITY.fullmatch(term) for term in terms):
        pairs = (term.partition("=") for term in terms)
        simple = [Requirement(key, "=", (value.removeprefix("="),)) for key, _, value in pairs]
        return sorted(simple, key=lambda one: one.key)
    try:
        return sorted(_Parser(text).parse(), key=lambda one: one.key)
    except _ParseError as error:
        raise bad_request(str(error)) from None


class _ParseError(Exception):
    """What the real parser would say."""


def _tokens(text: str) -> Iterator[str]:
    """Words and operators, the longest operator first; the last token is the empty end of text."""
    position = 0
    while (found := _TOKEN.match(text, position)) and (word := found[1]):
        if word[0] in "=!(),><":
            word = next((word[:length] for length in (2, 1) if word[:length] in _SYMBOLS), word[:1])
        position = found.start(1) + len(word)
        yield word
    yield ""


class _Parser:
    """Recursive descent, as labels.Parser; every message is its own."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def parse(self) -> list[Requirement]:
        requirements: list[Requirement] = []
        while token := self._peek():
            if token != "!" and not _is_word(token):
                raise _ParseError(f"found '{token}', expected: !, identifier, or 'end of string'")
            try:
                requirements.append(self._requirement())
            except _ParseError as error:
                raise _ParseError(f"unable to parse requirement: {error}") from None
            end = self._take()
            if not end:
                break
            if end != ",":
                raise _ParseError(f"found '{end}', expected: ',' or 'end of string'")
            if not _is_word(self._peek()) and self._peek() != "!":
                raise _ParseError(f"found '{self._peek()}', expected: identifier after ','")
        return requirements

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _take(self) -> str:
        self._at = min(self._at + 1, len(self._tokens))
        return self._tokens[self._at - 1]

    def _requirement(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._take()
        key = self._take()
        if not _is_word(key):
            raise _ParseError(f"found '{key}', expected: identifier")
        if wrong := qualified_name(key):
            raise _ParseError(str(invalid("<nil>", key, "; ".join(wrong))))
        if negated or self._at == len(self._tokens) or self._peek() in ("", ","):
            return Requirement(key, "!" if negated else "exists")
        operator = {">": "gt", "<": "lt"}.get(token := self._take(), token)
        if operator not in BINARY:
            raise _ParseError(f"found '{token}', expected: {', '.join(BINARY)}")
        values = self._values() if operator in ("in", "notin") else [self._exact()]
        return _checked(Requirement(key, operator, tuple(sorted(set(values)))))

    def _exact(self) -> str:
        if self._peek() in ("", ","):
            return ""
        value = self._take()
        if not _is_word(value):
            raise _ParseError(f"found '{value}', expected: identifier")
        return value

    def _values(self) -> list[str]:
        if (token := self._take()) != "(":
            raise _ParseError(f"found '{token}' expected: '('")
        first = self._peek()
        if first != ")" and first != "," and not _is_word(first):
            raise _ParseError(f"found '{first}', expected: ',', ')' or identifier")
        values = list(self._list()) if first != ")" else [""]
        if self._take() != ")":
            raise _ParseError(f"found '{first}', expected: ')'")
        return values

    def _list(self) -> Iterator[str]:
        """Words between commas, where nothing between two of them is the empty word."""
        while self._peek() != ")":
            token = self._take()
            if _is_word(token):
                yield token
                if self._peek() not in (",", ")"):
                    raise _ParseError(f"found '{self._peek()}', expected: ',' or ')'")
            elif token != ",":
                raise _ParseError(f"found '{token}', expected: ',', or identifier")
            elif self._tokens[self._at - 2] == "(" or self._peek() in (",", ")"):
                yield ""


def _is_word(token: str) -> bool:
    return bool(token) and token[0] not in "=!(),><"


def _checked(requirement: Requirement) -> Requirement:
    """The values are label values; those of gt and lt integers."""
    errors: list[FieldError] = []
    for index, value in enumerate(requirement.values):
        place = f"values[{index}]"
        if requirement.operator in ("gt", "lt") and not re.fullmatch(r"[+-]?\d+", value):
            errors.append(invalid(place, value, "for 'Gt', 'Lt' operators, the value must be an integer"))
        if wrong := label_value(value):
            errors.append(invalid(f"{place}[{requirement.key}]", value, "; ".join(wrong)))
    if errors:
        raise _ParseError(aggregate(errors))
    return requirement


# ----------------------------------------------------------------------------------------------------- selector objects

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def requirements_of(selector: Json | None) -> list[Requirement]:
    """Of a metav1.LabelSelector that passed validation, in the order of keys."""
    given = selector or {}
    found = [Requirement(key, "=", (value,)) for key, value in (given.get("matchLabels") or {}).items()]
    for one in given.get("matchExpressions") or ():
        found.append(Requirement(one["key"], _OPERATORS[one["operator"]], tuple(one.get("values") or ())))
    return sorted(found, key=lambda one: one.key)


def matcher_of(selector: Json | None) -> Matcher:
    """Of a metav1.LabelSelector: none matches nothing, an empty one everything."""
    return matcher(requirements_of(selector)) if selector is not None else lambda labels: False


def selector_text(requirements: Sequence[Requirement]) -> str:
    """As a scale's status and kubectl's tables have it; empty where everything matches."""
    return ",".join(str(one) for one in requirements)
