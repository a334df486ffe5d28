"""How a report may look where it is going to be read: its width, colours and letters."""

import textwrap
from enum import StrEnum

from msgspec import Struct

from .safe import safe


class Ink(StrEnum):
    """Colours by their meaning; the values are SGR parameters (ECMA-48 8.3.117)."""

    PASS = "32"
    WARN = "33"
    FAIL = "31"
    UNKNOWN = "35"
    SKIPPED = "2"
    HEADING = "1"
    QUIET = "2"


class Look(Struct, frozen=True):
    """The reader's means. The defaults suit a file or a pipe: whole lines, no escapes."""

    width: int | None = None  # columns to wrap at, None for lines left whole
    colour: bool = False
    ascii: bool = False  # only ASCII can be shown
    brief: bool = False  # one line is wanted

    def paint(self, text: str, ink: Ink) -> str:
        return f"\x1b[{ink}m{text}\x1b[0m" if self.colour and text else text

    def line(self, text: str, head: str = "", ink: Ink = Ink.QUIET, indent: int = 2, hang: int = 0) -> str:
        """``head`` in ``ink``, then ``text``: one line of a report, harmless whatever it says.

        A line longer than the width is broken at spaces, never inside a word; the rest is indented by ``hang`` more.
        """
        margin, start = " " * indent, safe(head)
        whole = start + safe(text)
        if self.width is not None:
            parts = textwrap.wrap(
                whole,
                self.width,
                initial_indent=margin,
                subsequent_indent=margin + " " * hang,
                break_long_words=False,
                break_on_hyphens=False,
            )
            whole = "\n".join(parts)[indent:]
        if whole.startswith(start):  # else the head itself was broken, and stays plain
            whole = self.paint(start, ink) + whole[len(start) :]
        return margin + whole
