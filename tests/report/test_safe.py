"""What strangers write must not act on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.report.safe import safe, safe_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("app=web, [fd00::1]:8080 [red]é✓", "app=web, [fd00::1]:8080 [red]é✓"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x07\r\n\t\x00\x7f", r"\x07\r\n\t\x00\x7f"),
        ("\x9b2J", r"\x9b2J"),
        ("\u202e\u2066\u200b\ufeff\u2028\xad", r"\u202e\u2066\u200b\ufeff\u2028\xad"),
        ("\xa0\u3000", r"\xa0\u3000"),
        ("\U000e0041\ue000\ud800", r"\U000e0041\ue000\ud800"),
        ("", ""),
    ],
)
def test_what_is_not_printable_shows_as_its_escape(text, shown):
    assert safe(text) == shown


@given(st.text(st.characters()))
def test_any_text_is_one_printable_line_and_stays_so(text):
    shown = safe(text)
    assert shown.isprintable()
    assert safe(shown) == shown


def test_lines_stay_lines():
    assert safe_lines("spec:\n  a: \x1b\r\n") == "spec:\n  a: \\x1b\\r\n"
