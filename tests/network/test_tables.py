"""What the projects that define the policies say of them: the tables in cases/."""

import json
from pathlib import Path
from typing import Any

import pytest

from svcdoctor.network.netpol import Status, evaluate

from .worlds import World

CASES = Path(__file__).parent / "cases"
TABLES = ("networkpolicy_e2e", "clusternetworkpolicy", "adminnetworkpolicy")
ALL = [
    pytest.param(case, id=f"{table}-{case['name']}")
    for table in TABLES
    for case in json.loads((CASES / f"{table}.json").read_bytes())
]


@pytest.mark.parametrize("case", ALL)
def test_table(case: dict[str, Any]) -> None:
    world = World(case)
    wrong = []
    for check in case["checks"]:
        verdict = evaluate(world.compiled, world.question(check))
        said = {"allowed": verdict.passes}
        if "egressAllowed" in check:
            said |= {"egressAllowed": verdict.egress.passes, "ingressAllowed": verdict.ingress.passes}
        if verdict.status is Status.UNDEFINED or said != {key: check[key] for key in said}:
            wrong.append((check, verdict))
    assert case["checks"]
    assert not wrong
