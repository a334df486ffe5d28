"""What the log of a CoreDNS pod gives away: a few lines that prove a cause."""

import re

from msgspec import Struct


class Pattern(Struct, frozen=True):
    """A line to look for, and what it proves."""

    name: str
    regex: re.Pattern[str]
    proves: str


class Sign(Struct, frozen=True):
    """A pattern that was found: its first line, how often it stands there, and what the line tells of it."""

    pattern: str
    proves: str
    line: str
    times: int
    details: tuple[str, ...] = ()  # the captured parts of all lines, each once, in their order

    @property
    def first(self) -> str:
        return self.details[0] if self.details else ""


def _pattern(name: str, regex: str, proves: str) -> Pattern:
    return Pattern(name, re.compile(regex), proves)


PATTERNS = (
    _pattern(
        "loop",
        r"Loop \((?P<detail>[^)\n]{1,200})\) detected",
        "the server's own question came back to it: its upstream leads to itself, and it stops at once",
    ),
    _pattern(
        "forbidden",
        r"(?:[Ff]ailed to (?:watch|list) \*?\S*|cannot (?:list|watch) resource).{0,400}?forbidden"
        r"(?:.{0,400}?resource \"(?P<detail>[\w.-]+)\")?",
        "the server's service account may not read an object that it makes records of",
    ),
    _pattern(
        "upstream-timeout",
        r"plugin/errors: 2 (?P<detail>\S{1,255}) \S+: .{0,300}?i/o timeout",
        "an upstream did not answer in time, and the client got SERVFAIL",
    ),
    _pattern(
        "not-ready",
        r"(?:Plugins not ready|Still waiting on): \"?(?P<detail>[\w, ]{1,100})",
        "the pod is not ready, for this plugin is not",
    ),
    _pattern(
        "unsynced",
        r"starting server with unsynced Kubernetes API",
        "the server could not read the API in time and answers SERVFAIL for what it does not know yet",
    ),
    _pattern(
        "too-many-queries",
        r"concurrent queries exceeded maximum (?P<detail>\d{1,10})",
        "more questions wait for an upstream than max_concurrent allows; the rest is REFUSED",
    ),
    _pattern(
        "bad-corefile",
        r"(?:Corefile changed but reload failed|Error during parsing|plugin/reload:.{0,60}fail\w*):? ?"
        r"(?P<detail>[^\n]{0,300})",
        "the Corefile can't be read: the server does not start, or keeps the one that it had",
    ),
    _pattern(
        "panic",
        r"(?:Recovered from panic|panic: )(?P<detail>[^\n]{0,200})",
        "the server crashed within a question",
    ),
)
"""The first five are the ones that `docs` and the field name; a line is taken for the first that matches."""


def signs(text: str) -> tuple[Sign, ...]:
    """What a log proves, in the order of PATTERNS."""
    found: dict[str, list[re.Match[str]]] = {}
    for line in text.splitlines():
        matched = next((m for pattern in PATTERNS if (m := pattern.regex.search(line[:4000]))), None)
        if matched:
            found.setdefault(matched.re.pattern, []).append(matched)
    return tuple(_sign(pattern, found[pattern.regex.pattern]) for pattern in PATTERNS if pattern.regex.pattern in found)


def _sign(pattern: Pattern, lines: list[re.Match[str]]) -> Sign:
    captured = (line.groupdict().get("detail") for line in lines)
    details = tuple(dict.fromkeys(detail.strip() for detail in captured if detail))
    return Sign(pattern.name, pattern.proves, lines[0].string.strip(), len(lines), details)
