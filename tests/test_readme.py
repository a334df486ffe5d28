"""The README shows what really comes out."""

import re
import shlex
import sys
import textwrap
from pathlib import Path

from svcdoctor import cli

ROOT = Path(__file__).parents[1]
PASSING = re.compile(r"https://127\.0\.0\.1:\d+, read [-\d]+ [:\d]+ UTC")
"""What is another in every lab: its port, and when it was read."""


def test_the_transcript_is_what_comes_out(monkeypatch, capsys):
    shown = re.search(r"(?m)^    \$ (svcdoctor .*)\n((?:    .*\n|\n)+)", (ROOT / "README.md").read_text())
    assert shown is not None
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", shlex.split(shown[1]))
    assert cli.main() == 1
    wanted = textwrap.dedent(shown[2]).rstrip("\n") + "\n"
    assert PASSING.sub("", capsys.readouterr().out) == PASSING.sub("", wanted)
