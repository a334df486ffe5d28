"""What may be sent to a screen, a pipe, or a screen of long ago."""

import io

import pytest

from svcdoctor.cli.screen import can_show, wants_colour


@pytest.mark.parametrize(
    ("environ", "screen", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": ""}, False, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
    ids=str,
)
def test_who_wants_colour(environ, screen, colour):
    assert wants_colour(environ, screen) is colour


@pytest.mark.parametrize(
    ("encoding", "environ", "can"),
    [
        ("utf-8", {}, True),
        ("utf-8", {"LANG": "en_US.UTF-8"}, True),
        ("utf-8", {"LANG": "C"}, False),
        ("utf-8", {"LANG": "C.UTF-8"}, True),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ("utf-8", {"LC_CTYPE": "C.UTF-8"}, True),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, True),
        ("utf-8", {"LANG": "C", "LC_ALL": "C.UTF-8"}, True),
        ("utf-8", {"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, False),
        ("ascii", {}, False),
        ("latin-1", {"LANG": "de_DE"}, False),
    ],
    ids=str,
)
def test_which_glyphs_can_be_shown(encoding, environ, can):
    assert can_show("✓", io.TextIOWrapper(io.BytesIO(), encoding=encoding), environ) is can
