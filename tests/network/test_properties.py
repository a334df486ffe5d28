"""In small worlds the evaluator agrees with a slow, independent reading of the specifications."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.network.netpol import Basis, Change, Status, evaluate, mend, with_policies

from . import brute_force
from .small_worlds import CLUSTER_POLICIES, NETWORK_POLICIES, PORTS, PROTOCOLS, worlds
from .worlds import World

Json = dict[str, Any]

PAIRS = [(source, destination) for source in range(4) for destination in range(4)]


def key(pod: Json) -> str:
    return f"{pod['ns']}/{pod['name']}"


def answers(world: Json, port: int, protocol: str) -> dict[tuple[str, str], bool]:
    """What the slow reading says of every pair."""
    pods = world["pods"]
    return {
        (key(pods[a]), key(pods[b])): brute_force.may_pass(world, pods[a], pods[b], port, protocol) for a, b in PAIRS
    }


@given(
    world=worlds(NETWORK_POLICIES | CLUSTER_POLICIES),
    port=st.sampled_from(PORTS),
    protocol=st.sampled_from(PROTOCOLS),
)
def test_agrees_with_an_independent_reading(world: Json, port: int, protocol: str) -> None:
    compiled = World(world)
    for (source, destination), allowed in answers(world, port, protocol).items():
        check = {"from": source, "to": destination, "port": port, "protocol": protocol}
        verdict = evaluate(compiled.compiled, compiled.question(check))
        assert verdict.status is (Status.ALLOWED if allowed else Status.DENIED), check


@given(world=worlds(NETWORK_POLICIES), port=st.sampled_from(PORTS), protocol=st.sampled_from(PROTOCOLS))
def test_explanations_hold(world: Json, port: int, protocol: str) -> None:
    """A rule that decides is there, a denial without one names who isolates, and the nearest rule lacks something."""
    compiled = World(world)
    for source, destination in answers(world, port, protocol):
        check = {"from": source, "to": destination, "port": port, "protocol": protocol}
        for direction, ruling in evaluate(compiled.compiled, compiled.question(check)).rulings:
            if ruling.rule:
                policy = next(p for p in world["policies"] if p["metadata"]["name"] == ruling.rule.policy.name)
                rule = policy["spec"][direction.value][ruling.rule.index]
                assert bool(rule.get("ports")) is (ruling.rule.port is not None)
                assert bool(rule.get(direction.peers)) is (ruling.rule.peer is not None)
            if ruling.status is Status.DENIED:
                rules = [r for p in ruling.isolating for r in _spec(world, p.name).get(direction.value, ())]
                assert ruling.isolating
                assert bool(rules) is (ruling.nearest is not None)
            if ruling.nearest:
                assert ruling.nearest.misses
                assert not any(miss.doubt for miss in ruling.nearest.misses)


@given(world=worlds(NETWORK_POLICIES), port=st.sampled_from(PORTS), protocol=st.sampled_from(PROTOCOLS))
def test_mending_opens_the_way_and_closes_none(world: Json, port: int, protocol: str) -> None:
    compiled = World(world)
    before = answers(world, port, protocol)
    for (source, destination), allowed in before.items():
        question = compiled.question({"from": source, "to": destination, "port": port, "protocol": protocol})
        changes = mend(compiled.compiled, [question])
        assert changes is not None
        assert bool(changes) is not allowed
        mended = apply(world, changes)
        after = answers(mended, port, protocol)
        assert after[source, destination]
        assert all(after[pair] for pair, passed in before.items() if passed)
        assert evaluate(with_policies(compiled.compiled, *(c.policy for c in changes)), question).passes


@given(world=worlds(NETWORK_POLICIES | CLUSTER_POLICIES), protocol=st.sampled_from(PROTOCOLS))
def test_mending_gives_up_on_cluster_wide_denials_only(world: Json, protocol: str) -> None:
    compiled = World(world)
    for (source, destination), _ in answers(world, 80, protocol).items():
        question = compiled.question({"from": source, "to": destination, "port": 80, "protocol": protocol})
        changes = mend(compiled.compiled, [question])
        if changes is None:
            rulings = [ruling for _, ruling in evaluate(compiled.compiled, question).rulings]
            assert any(ruling.basis in (Basis.ADMIN, Basis.BASELINE) for ruling in rulings)
        else:
            assert answers(apply(world, changes), 80, protocol)[source, destination]


def _spec(world: Json, name: str) -> Json:
    spec: Json = next(p["spec"] for p in world["policies"] if p["metadata"]["name"] == name)
    return spec


def apply(world: Json, changes: tuple[Change, ...]) -> Json:
    """The world after ``kubectl apply``; of a policy that exists, its patch must come to the same."""
    made = copy.deepcopy(world)
    for change in changes:
        if change.patch:
            patched = _spec(made, change.policy.name)
            for operation in change.patch:
                *path, end = operation["path"].split("/")[2:]
                assert (operation["op"], end) == ("add", "-")
                target: Any = patched
                for part in path:
                    target = target[int(part)] if part.isdecimal() else target[part]
                target.append(operation["value"])
        made["policies"] = [p for p in made["policies"] if p["metadata"]["name"] != change.policy.name]
        made["policies"].append(change.manifest)
        if change.patch:
            twin = [*made["policies"][:-1], change.manifest | {"spec": patched}]
            for port in PORTS:
                assert answers(made | {"policies": twin}, port, "TCP") == answers(made, port, "TCP")
    return made
