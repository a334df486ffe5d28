"""How near two names are: what separates a slip of the hand from another name."""

import re
from collections.abc import Iterable

DIGITS = re.compile(r"\d+")
PUNCTUATION = re.compile(r"[^a-z0-9]+")
VERSION = re.compile(r"v?\d+([._-]\d+)*([-+][\w.]+)?")
BOUNDARY = "-_./"


def distance(a: str, b: str) -> int:
    """Edits between two words, a swap of neighbours counting as one (optimal string alignment)."""
    from rapidfuzz.distance import OSA  # 40 ms that only a near miss needs

    return OSA.distance(a, b)


def same_but_digits(a: str, b: str) -> bool:
    """``web-1`` and ``web-2``: more likely two things than one misspelt."""
    return a != b and DIGITS.sub("#", a) == DIGITS.sub("#", b)


def versions(a: str, b: str) -> bool:
    """Both read as versions: ``v1``, ``2.4.1-rc1``."""
    return bool(VERSION.fullmatch(a) and VERSION.fullmatch(b))


def slip(a: str, b: str) -> int | None:
    """How far apart two spellings of one word are, None when they are two words.

    Case and punctuation weigh least. Short words bear no substitution: ``api`` and ``app`` are two words.
    """
    if a == b:
        return 0
    if not a or not b or same_but_digits(a, b) or versions(a, b):
        return None
    if PUNCTUATION.sub("", a.lower()) == PUNCTUATION.sub("", b.lower()):
        return 1
    edits = distance(a.lower(), b.lower())
    length = min(len(a), len(b))
    if edits > max(1, length // 4):
        return None
    if length < 4 and len(a) == len(b) and sorted(a.lower()) != sorted(b.lower()):
        return None
    return edits


def extends(a: str, b: str) -> bool:
    """One is the other with a part more: ``checkout`` and ``checkout-service``."""
    short, long = sorted((a.lower(), b.lower()), key=len)
    if len(short) < 3 or short == long:
        return False
    return (long.startswith(short) and long[len(short)] in BOUNDARY) or (
        long.endswith(short) and long[-len(short) - 1] in BOUNDARY
    )


def nearest(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names that ``name`` may have been meant to be, nearest first."""
    ranked: list[tuple[int, str]] = []
    for other in set(names) - {name}:
        edits = distance(name.lower(), other.lower())
        if edits <= max(2, len(name) // 3) or extends(name, other):
            ranked.append((edits, other))
    return [other for _, other in sorted(ranked)[:most]]
