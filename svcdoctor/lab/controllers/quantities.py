"""Resource quantities: ``500m``, ``1Gi``, ``0.5``, ``1e3`` (apimachinery/pkg/api/resource)."""

import re
from fractions import Fraction

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
_UNITS |= {f"{letter}i": 1024 ** (power + 1) for power, letter in enumerate("KMGTPE")}
_FRACTIONS = {"m": Fraction(1, 10**3), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9)}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")


def parse_quantity(text: str | int | float) -> Fraction:
    """Raises ValueError."""
    found = _QUANTITY.fullmatch(str(text))
    if not found:
        raise ValueError(f"not a quantity: {text}")
    number = Fraction(found[1]) * (Fraction(f"1{found[2]}") if found[2] else 1)
    unit = found[3] or ""
    return number * (_FRACTIONS[unit] if unit in _FRACTIONS else _UNITS[unit])
