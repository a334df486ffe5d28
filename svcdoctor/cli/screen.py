"""What the reader's side of stdout can show."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TextIO

from ..report import Look

WIDEST = 100
"""Columns that a line of text may have and still be read with ease."""
COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python puts into LC_CTYPE when the locale is C."""


def look(no_color: bool, brief: bool = False) -> Look:
    """How the result may look on stdout as it is now."""
    screen = sys.stdout.isatty()
    return Look(
        width=min(shutil.get_terminal_size().columns, WIDEST) if screen else None,
        colour=not no_color and wants_colour(os.environ, screen),
        ascii=not can_show("✓✗", sys.stdout, os.environ),
        brief=brief,
    )


def wants_colour(environ: Mapping[str, str], screen: bool) -> bool:
    """https://no-color.org, then https://force-color.org, then TERM=dumb, then whether it is a screen."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return screen and environ.get("TERM") != "dumb"


def can_show(glyphs: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether ``stream`` can carry ``glyphs``.

    LANG=C asks for ASCII, though Python writes UTF-8 there: it has then set LC_CTYPE by itself (PEP 538).
    """
    ctype = environ.get("LC_CTYPE")
    locale = environ.get("LC_ALL") or (ctype if ctype not in COERCED else None) or environ.get("LANG")
    if locale in ("C", "POSIX"):
        return False
    try:
        glyphs.encode(stream.encoding)
    except UnicodeEncodeError:
        return False
    return True
