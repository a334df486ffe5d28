"""Quantities: 500m, 1Gi, 2e3 as numbers.

Source: apimachinery/pkg/api/resource.
"""

import re
from decimal import Decimal, InvalidOperation

_SUFFIXES = {
    "n": Decimal(10) ** -9,
    "u": Decimal(10) ** -6,
    "m": Decimal(10) ** -3,
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}


def parse_quantity(text: str) -> Decimal:
    """0 for what is no quantity: decoding has refused that."""
    found = re.fullmatch(r"([+-]?[0-9.]+)([eE][+-]?[0-9]+|[numkKMGTPE]?i?)", text)
    if found is None:
        return Decimal(0)
    try:
        if found[2] in _SUFFIXES:
            return Decimal(found[1]) * _SUFFIXES[found[2]]
        return Decimal(found[1] + found[2])
    except InvalidOperation:
        return Decimal(0)
