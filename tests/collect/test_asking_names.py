"""Asking through the API server: exec, port-forward and debugging containers, against the lab's streams."""

import time
from collections.abc import Iterator

import pytest

from svcdoctor.cli.target import parse
from svcdoctor.collect import websocket
from svcdoctor.collect.api import Api, connect
from svcdoctor.collect.asking_names import Ways, ask_names
from svcdoctor.collect.gather import gather
from svcdoctor.collect.kubeconfig import Options
from svcdoctor.collect.resolver import Question, over_stream
from svcdoctor.collect.values import Silence
from svcdoctor.diagnose import diagnose
from svcdoctor.lab.base import REGISTRY, Shape, pod, pod_spec, server
from svcdoctor.lab.faults import HEALTHY
from svcdoctor.lab.faults.dns import ACTIVE, CLIENT
from svcdoctor.lab.faults.fault import Apply, Fault
from svcdoctor.lab.serve import start
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Diagnosis, Severity
from svcdoctor.model.snapshot import Snapshot

WEB = "web.default.svc.cluster.local."


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A well lab."""
    with start(Shape(), HEALTHY) as lab:
        opened = connect(Options(kubeconfig=lab.kubeconfig))
        yield opened
        opened.close()


def servers(api: Api) -> list[str]:
    target = parse("web", None).target(api.namespace, None)
    return [p.name for p in gather(api, target).snapshot.pods.within("kube-system") if p.name.startswith("coredns")]


def test_a_command_in_a_container(api: Api) -> None:
    ran = websocket.run(api, "default", CLIENT, "", ["cat", "/etc/resolv.conf"])
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.startswith("search default.svc.cluster.local svc.cluster.local cluster.local\n")
    assert websocket.run(api, "default", CLIENT, CLIENT, ["getent", "hosts", "nobody"]).code == 2


def test_a_command_that_is_not_there(api: Api) -> None:
    with pytest.raises(websocket.CannotRun):
        websocket.run(api, "default", CLIENT, "", ["no-such-command"])


def test_a_pod_that_is_not_there(api: Api) -> None:
    with pytest.raises(websocket.Refused) as caught:
        websocket.run(api, "default", "nobody", "", ["true"])
    assert caught.value.status == 404
    assert 'pods "nobody" not found' in caught.value.why


def test_a_port_of_a_name_server(api: Api) -> None:
    with websocket.Forward(api, "kube-system", servers(api)[0], 53) as stream:
        answer = over_stream(Question(WEB, "A"), stream, "10.244.1.2")
    assert (answer.rcode, len(answer.answers)) == ("NOERROR", 1)


def test_a_port_where_nobody_listens(api: Api) -> None:
    with websocket.Forward(api, "default", CLIENT, 4444) as stream, pytest.raises(Silence) as caught:
        stream.read(1, time.monotonic() + 5)
    assert caught.value.why == "refused"


# ------------------------------------------------------------------------------------------------------------ the whole


def asked(fault: Fault, ways: Ways, said: list[str] | None = None) -> tuple[Snapshot, Diagnosis]:
    with start(Shape(), fault) as lab:
        api = connect(Options(kubeconfig=lab.kubeconfig))
        try:
            target = parse(fault.ask, None).target(api.namespace, fault.client or None)
            read = gather(api, target).snapshot
            snapshot = ask_names(api, read, target, ways, (said if said is not None else []).append)
        finally:
            api.close()
    return snapshot, diagnose(Case(snapshot, target))


def test_a_well_cluster_answers_everywhere() -> None:
    snapshot, diagnosis = asked(Fault("healthy", "", (), client=CLIENT), Ways(active=True))
    assert [finding.name for finding in diagnosis.findings] == []
    assert {(a.transport, bool(a.path), a.answered) for a in snapshot.dns_answers} == {
        ("TCP", True, True),
        ("LIBC", False, True),
        ("UDP", False, True),
    }
    assert ("default", CLIENT) in snapshot.resolv_confs
    assert snapshot.gaps == ()


@pytest.mark.parametrize("fault", ACTIVE, ids=lambda fault: fault.name)
def test_each_fault_that_only_asking_shows(fault: Fault) -> None:
    if fault.name == "dns-5s-race":
        pytest.skip("the lab's tools answer at once: recorded answers show it in tests/steps/dns")
    _, diagnosis = asked(fault, Ways(active=True))
    errors = {finding.name for finding in diagnosis.findings if finding.severity is Severity.ERROR}
    assert diagnosis.root == fault.name
    assert errors <= {fault.name}


def test_without_active_nothing_is_created() -> None:
    snapshot, _ = asked(Fault("healthy", "", (), client=CLIENT), Ways())
    assert snapshot.dns_answers == ()


BARE = pod("bare", pod_spec(server()), {"app": "bare"})
"""A client whose image has no tools."""


def test_a_client_without_tools_is_left_alone() -> None:
    snapshot, _ = asked(Fault("bare", "", (Apply((BARE,)),), client="bare"), Ways(active=True))
    assert all(answer.path for answer in snapshot.dns_answers)
    assert [gap.what for gap in snapshot.gaps] == ["look-ups in default/bare"]


def test_a_debugging_container_is_announced_first() -> None:
    said: list[str] = []
    ways = Ways(active=True, image=f"{REGISTRY}/client:1")
    snapshot, _ = asked(Fault("bare", "", (Apply((BARE,)),), client="bare"), ways, said)
    assert said == [
        f"default/bare has no tools: adding a debugging container of {REGISTRY}/client:1, which can't be removed and "
        "ends by itself after 5 minutes"
    ]
    assert {answer.transport for answer in snapshot.dns_answers if not answer.path} == {"LIBC", "UDP"}


def test_an_image_that_is_not_to_be_had() -> None:
    snapshot, _ = asked(
        Fault("bare", "", (Apply((BARE,)),), client="bare"), Ways(active=True, image=f"{REGISTRY}/nothing:0")
    )
    assert any("debugging container did not start" in gap.why for gap in snapshot.gaps)
