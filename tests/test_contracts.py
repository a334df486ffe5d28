"""The contracts of pyproject.toml hold, and each one breaks when its sentence is broken."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

BROKEN_BY = {
    "Nothing imports upward": {"files.py": "from . import archive"},
    "Model, network, steps and diagnose do no I/O and know no front end": {"steps/near.py": "import socket"},
    "Report and tui never touch the cluster": {"report/look.py": "from ..collect import api"},
    "Kubernetes, dnspython, websocket-client, scapy and subprocess each enter through one module": {
        "archive/__init__.py": "import subprocess"
    },
    "Steps do not know each other": {"steps/readiness/__init__.py": "from .. import endpoints"},
    "Report formats do not know each other": {"report/terminal.py": "from . import json"},
    "Rule readers do not know each other": {
        "network/__init__.py": "",
        "network/nftables.py": "",
        "network/iptables.py": "from . import nftables",
    },
    "Senses do not know each other": {
        "collect/nodes.py": "",
        "collect/resolver.py": "from . import nodes",
    },
    "The lab does not share our understanding": {"lab/__init__.py": "from ..steps import step"},
}

LATER_ROOMS = [
    ("Nothing imports upward", {"network/__init__.py": "from ..steps import step"}),
    (
        "Model, network, steps and diagnose do no I/O and know no front end",
        {"network/__init__.py": "", "network/walk.py": "import random"},
    ),
    ("Report and tui never touch the cluster", {"tui/__init__.py": "from ..collect import api"}),
    (
        "The lab does not share our understanding",
        {"network/__init__.py": "", "lab/__init__.py": "from .. import network"},
    ),
    ("Nothing imports upward", {"stray.py": ""}),
]


def broken_contracts(folder: Path, planted: dict[str, str]) -> set[str]:
    """The titles of the contracts that a copy of the package breaks once ``planted`` lines stand in its files."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "svcdoctor", folder / "svcdoctor", ignore=shutil.ignore_patterns("__pycache__"))
    for name, line in planted.items():
        file = folder / "svcdoctor" / name
        file.parent.mkdir(exist_ok=True)
        with file.open("a") as appended:
            appended.write(f"\n{line}\n")
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    titles = set(re.findall(r"^(.+) BROKEN\b", ran.stdout, re.MULTILINE))
    assert f"{len(titles)} broken" in ran.stdout, ran.stdout + ran.stderr
    assert ran.returncode == (1 if titles else 0)
    return titles


def test_the_tree_as_it_is_keeps_all(tmp_path: Path) -> None:
    assert broken_contracts(tmp_path, {}) == set()


def test_every_contract_is_broken_here_once() -> None:
    assert [contract["name"] for contract in CONTRACTS] == list(BROKEN_BY)


@pytest.mark.parametrize("title", BROKEN_BY)
def test_breaking_a_sentence_breaks_its_contract_alone(title: str, tmp_path: Path) -> None:
    assert broken_contracts(tmp_path, BROKEN_BY[title]) == {title}


@pytest.mark.parametrize(("title", "planted"), LATER_ROOMS)
def test_rooms_that_come_later_are_already_bound(title: str, planted: dict[str, str], tmp_path: Path) -> None:
    assert broken_contracts(tmp_path, planted) == {title}
