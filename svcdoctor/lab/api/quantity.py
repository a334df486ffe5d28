"""Quantities: 500m, 1Gi, 2e3 as numbers, and in the one form in which the API server writes each.

Source: apimachinery/pkg/api/resource.
"""

import re
from decimal import ROUND_UP, Decimal, InvalidOperation, localcontext

_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_SUFFIXES = {suffix: Decimal(10) ** power for power, suffix in _DECIMAL.items()}
_SUFFIXES |= {suffix: Decimal(1024) ** power for power, suffix in enumerate(_BINARY)}
_NANO = Decimal("1e-9")
_LARGEST = Decimal(2**63 - 1)
_DIGITS = 60
_EXPONENT = "e"


def parse_quantity(text: str) -> Decimal:
    """0 for what is no quantity: decoding has refused that."""
    try:
        return _parsed(text)[0]
    except ValueError:
        return Decimal(0)


def canonical(text: str) -> str:
    """The shortest form without a fraction, in the notation that was used: 0.5 is 500m. Raises ValueError."""
    amount, suffix = _parsed(text)
    with localcontext(prec=_DIGITS):
        amount = amount.quantize(_NANO, ROUND_UP) if abs(amount) < _LARGEST else _LARGEST.copy_sign(amount)
        if amount == 0:
            return "0"
        if suffix.endswith("i") and abs(amount) >= 1024 and amount == int(amount):
            return _in_binary(int(amount))
        return _in_decimal(amount, suffix == _EXPONENT)


def _parsed(text: str) -> tuple[Decimal, str]:
    """A number, and how it was written: its suffix."""
    found = re.fullmatch(r"([+-]?(?:\d+\.?\d*|\.\d+))([eE][+-]?\d{1,2}|[numkMGTPE]|[KMGTPE]i|)", text, re.ASCII)
    if found is None:
        raise ValueError(text)
    with localcontext(prec=_DIGITS):
        try:
            if found[2] in _SUFFIXES:
                return Decimal(found[1]) * _SUFFIXES[found[2]], found[2]
            return Decimal(found[1] + found[2]), _EXPONENT
        except InvalidOperation:
            raise ValueError(text) from None


def _in_binary(amount: int) -> str:
    power = 0
    while amount % 1024 == 0 and power < len(_BINARY) - 1:
        amount, power = amount // 1024, power + 1
    return f"{amount}{_BINARY[power]}"


def _in_decimal(amount: Decimal, exponents: bool) -> str:
    power = -9
    number = int(amount.scaleb(9))
    while number % 1000 == 0 and power < 18:
        number, power = number // 1000, power + 3
    if exponents:
        return f"{number}e{power}" if power else f"{number}"
    return f"{number}{_DECIMAL[power]}"
