"""Whatever a cluster sends: a diagnosis comes out, always the same one, and it does not contradict itself.

Snapshots are real ones with anything taken away, set to null, doubled, or given another value of its type.
"""

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import structs

from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Effect, Severity, Target, Verdict
from svcdoctor.model.objects import RESOURCES
from svcdoctor.model.snapshot import Answer, Snapshot, assemble
from svcdoctor.report import FORMATS, Look
from tests.build import NOW, Cluster, ago, container, http_probe
from tests.states import (
    crash_loop,
    dual,
    ended,
    failing_probe,
    gated,
    image_pull,
    leaving,
    on_dead_node,
    refused,
    starting,
    unscheduled,
    waiting,
    young,
)

WEB = {"app": "web", "track": "stable"}
APP = container(
    "app", "http:8080", args=["--listen=127.0.0.1:8080"], readinessProbe=http_probe("http"),
    livenessProbe=http_probe(8080), startupProbe=http_probe(8080),
)  # fmt: skip
STATES = (
    None, refused(8080), failing_probe("HTTP probe failed with statuscode: 404"), crash_loop(), image_pull(), dual,
    unscheduled(), ended(), leaving(), gated("x/y"), young(3), starting(9), on_dead_node, waiting("ContainerCreating"),
)  # fmt: skip
TEXTS = (
    "", "web", "wbe", "Web", "8080", "True", "False", "Pod", "TCP", "UDP", "None", "ExternalName", "IPv6", "FQDN",
    "shop", "other", "fd00::1", "10.1.1.1", "not an address", "ü\u202e\x1b[31m[red]\x00", "a" * 300, "Succeeded",
)  # fmt: skip
NUMBERS = (-1, 0, 1, 80, 8080, 65536, 2**53)


@cache
def cluster(number: int) -> dict[str, list[Any]]:
    """A Service with two or three workloads, by one of ten ways to make it ill or odd."""
    made = Cluster()
    selector = {"app": "wbe"} if number == 1 else None if number == 2 else {"app": "web"}
    ports = ("http 80>http", "admin 81>9000", "dns 53/UDP>8080") if number % 2 else ("80>8080",)
    headless: dict[str, Any] = {"clusterIP": "None", "publishNotReadyAddresses": True} if number == 3 else {}
    made.service("web", selector, *ports, **headless)
    state = STATES[number % len(STATES)]
    pods = made.deployment("web", WEB, APP, state=(state, None) if number % 3 else (state, state))
    made.workload("StatefulSet", "web-db", {"app": "web"}, container("db", "sql:5432"), replicas=number % 2)
    made.deployment("other", {"app": "other"}, APP, replicas=number % 4 and 1)
    made.event("Pod", pods[0], "Killing", "Stopping container app")
    made.follow()
    made.slice("web-hand", "web", ["192.0.2.1"], {"name": "http", "port": 80, "protocol": "TCP"})
    return made.objects


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from paths(item, (*path, key))


def change(objects: Any, path: tuple[Any, ...], how: int) -> None:
    """One mutation: drop, null, double, or another value of the same type."""
    parent = objects
    for key in path[:-1]:
        parent = parent[key]
    key, old = path[-1], parent[path[-1]]
    if how == 0:
        del parent[key]
    elif how == 1:
        parent[key] = None
    elif isinstance(old, bool):
        parent[key] = not old
    elif isinstance(old, int):
        parent[key] = NUMBERS[how % len(NUMBERS)]
    elif isinstance(old, str) and old.endswith("Z") and old[:2] == "20":
        parent[key] = ago((how - 10) ** 7)
    elif isinstance(old, str):
        parent[key] = TEXTS[how % len(TEXTS)]
    elif isinstance(old, list):
        parent[key] = [] if how % 2 else old + copy.deepcopy(old)
    elif isinstance(old, dict):
        parent[key] = {}


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    objects = copy.deepcopy(cluster(draw(st.integers(0, 27))))
    for _ in range(draw(st.integers(0, 8))):
        plural = draw(st.sampled_from(("services", "pods", "pods", "endpointslices", "deployments", "events", "nodes")))
        places = [path for path in paths(objects[plural]) if len(path) > 1 or plural != "services"]
        if places:
            change(objects[plural], draw(st.sampled_from(places)), draw(st.integers(0, 21)))
    if draw(st.booleans()) and objects["deployments"] and objects["replicasets"]:  # owners in a circle
        above = {"kind": "ReplicaSet", "name": objects["replicasets"][0]["metadata"]["name"], "controller": True}
        objects["deployments"][0].setdefault("metadata", {})["ownerReferences"] = [above]
    unread = draw(st.frozensets(st.sampled_from(sorted(set(RESOURCES) - {"services"})), max_size=2))
    answers = []
    for plural, items in objects.items():
        if plural not in unread:
            body = {"kind": f"{RESOURCES[plural].type.__name__}List", "items": items}
            answers.append(Answer(RESOURCES[plural].path(), json.dumps(body).encode()))
    skew = draw(st.sampled_from([0, 0, 0, 3600, -3600, 10**8]))
    return assemble(Snapshot(taken_at=NOW + timedelta(seconds=skew)), answers)


@settings(max_examples=1000)
@given(snapshots(), st.sampled_from([None, None, "80", "http", "x"]))
def test_every_cluster_gets_one_consistent_answer(snapshot, port):
    case = Case(snapshot, Target("shop", "web", port))
    diagnosis = diagnose(case)
    assert diagnose(Case(snapshot, Target("shop", "web", port))) == diagnosis

    causes = [f for f in diagnosis.findings if f.severity is not Severity.ADVICE and f.consequence_of is None]
    assert diagnosis.root == (diagnosis.findings[0].name if causes else None)
    effects = {finding.effect for finding in diagnosis.findings}
    assert (diagnosis.verdict is Verdict.BROKEN) == (Effect.OUTAGE in effects)
    for finding in diagnosis.findings:
        assert finding.summary and finding.evidence
        assert finding.severity is not Severity.ERROR or finding.effect is not Effect.NONE
    if case.service and case.selector and not case.external_name and not case.usable:
        assert diagnosis.verdict is not Verdict.HEALTHY


ROOT = Path(__file__).parents[2]
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/diagnosis.schema.json").read_text(encoding="utf-8")))
SCREENS = (Look(), Look(width=80, colour=True), Look(width=60, ascii=True), Look(brief=True))


@settings(max_examples=200)
@given(snapshots(), st.text(max_size=20))
def test_every_answer_can_be_reported(snapshot, strange):
    """Whatever stands in it, a report is harmless text, and a document of its schema."""
    target = Target("shop", "web", strange or None)
    diagnosis = diagnose(Case(structs.replace(snapshot, context=strange, server=strange), target))
    for look in SCREENS:
        text = FORMATS["terminal"](diagnosis, look).replace("\n", "")
        assert look.colour or text.isprintable()
    SCHEMA.validate(json.loads(FORMATS["json"](diagnosis, Look())))
