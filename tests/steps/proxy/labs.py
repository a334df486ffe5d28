"""Labs as snapshots: booted in simulated time, read whole, with what every node shows."""

import json
from datetime import UTC, datetime
from functools import cache

from msgspec import structs

from svcdoctor.lab.base import Shape
from svcdoctor.lab.cluster import Cluster
from svcdoctor.lab.faults import BY_NAME, HEALTHY
from svcdoctor.lab.resources import RESOURCES as KINDS
from svcdoctor.lab.resources import named
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Subject, Target
from svcdoctor.model.node_rules import read
from svcdoctor.model.objects import RESOURCES
from svcdoctor.model.snapshot import Answer, Snapshot, assemble

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@cache
def snapshot(fault: str, mode: str, nodes: int = 3) -> Snapshot:
    """The lab ill with ``fault`` (``healthy``: not at all)."""
    lab = Cluster(Shape(nodes, mode), NOW, "token")
    lab.boot(BY_NAME.get(fault, HEALTHY))
    answers = []
    for kind in KINDS:
        ours = RESOURCES.get(kind.plural)
        if ours is not None and ours.kind == kind.kind:
            items = [stored.load() for stored in lab.store.list(kind)]
            body = json.dumps({"kind": f"{kind.kind}List", "items": items})
            answers.append(Answer(ours.path(), body.encode()))
    names = [stored.load()["metadata"]["name"] for stored in lab.store.list(named("nodes"))]
    rules = {
        name: read(name, {file: text.encode() for file, text in lab.proxies.files(name).items()}) for name in names
    }
    return structs.replace(assemble(Snapshot(NOW), answers), node_rules=rules)


def case(fault: str, mode: str, client: str | None = None) -> Case:
    """Seen from the fault's client, from another pod, or (empty) from nobody."""
    known = BY_NAME.get(fault, HEALTHY)
    name = known.client if client is None else client
    target = Target("default", "web", client=Subject("Pod", "default", name) if name else None)
    return Case(snapshot(fault, mode), target)
