"""Quantities: what they amount to, and how the API server writes them."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.quantity import canonical, parse_quantity

WRITTEN = {
    "0.5": "500m",
    "1000m": "1",
    "1000": "1k",
    "1500": "1500",
    "65536Ki": "64Mi",
    "1.5Gi": "1536Mi",
    "0.1Ki": "102400m",
    "16384000Ki": "16000Mi",
    "1e3": "1e3",
    "1E3": "1e3",
    "5E": "5E",
    "0.0000000001": "1n",
    "-0.5": "-500m",
    "0Mi": "0",
}
"""As apimachinery's own tests of CanonicalizeBytes have them."""


@pytest.mark.parametrize(("text", "written"), WRITTEN.items(), ids=WRITTEN)
def test_one_form_for_each_amount(text, written):
    assert canonical(text) == written


@pytest.mark.parametrize("text", ["", "..", "1.2.3", "1KM", "5ki", "1e", "m", "1 Gi", "٣"])
def test_what_is_no_quantity(text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        canonical(text)
    assert parse_quantity(text) == 0


@given(
    st.decimals(-(10**9), 10**9, allow_nan=False, places=3),
    st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "e-3"]),
)
def test_the_canonical_form_means_the_same_and_is_its_own(number, suffix):
    text = f"{number:f}{suffix}"
    written = canonical(text)
    assert canonical(written) == written
    assert "." not in written
    assert parse_quantity(written) == parse_quantity(text).quantize(Decimal("1e-9"))
