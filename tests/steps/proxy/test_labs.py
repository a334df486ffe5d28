"""Each fault of the lab's kube-proxies is found as itself, in every mode, on the right nodes only."""

import re

import pytest

from svcdoctor.lab.base import PROXY_MODES
from svcdoctor.lab.faults import path, proxy
from svcdoctor.model.diagnosis import Severity
from svcdoctor.steps.proxy import ask

from .labs import case

WHERE = {
    "itp-local-hole": {"node1", "node3"},
    "etp-local-hole": {"node1", "node3"},
    "wrong-cluster-cidr": {"node1", "node2", "node3"},
}
"""The nodes that have the fault, where that is not node1."""
AROUND = ("forward-drop", "foreign-drop", "ip-forward-off", "conntrack-full", "br-netfilter-off")
"""Faults of nodes that rules and the kernel's settings show."""
FAULTS = [
    pytest.param(fault.name, mode, id=f"{fault.name}-{mode}")
    for fault in (*proxy.FAULTS, *(fault for fault in path.FAULTS if fault.name in AROUND))
    for mode in fault.modes
]
OTHERS = [
    pytest.param(fault.name, mode, id=f"{fault.name}-{mode}")
    for fault in path.FAULTS
    for mode in fault.modes
    if fault.name not in AROUND
]


@pytest.mark.parametrize(("fault", "mode"), FAULTS)
@pytest.mark.parametrize("client", [None, ""], ids=["from its client", "from nobody"])
def test_each_as_itself(fault, mode, client):
    answer = ask(case(fault, mode, client))
    assert [finding.name for finding in answer.findings] == [fault]
    assert answer.gaps == ()
    assert set(re.findall(r"\bnode\d\b", answer.findings[0].summary)) == WHERE.get(fault, {"node1"})
    assert answer.reason == answer.findings[0].summary
    assert answer.findings[0].evidence
    assert answer.findings[0].fix.text


@pytest.mark.parametrize("mode", PROXY_MODES)
def test_the_well_lab(mode):
    answer = ask(case("healthy", mode))
    assert (answer.findings, answer.gaps) == ((), ())
    assert answer.reason == "3 of 3 nodes agree with the API"


@pytest.mark.parametrize(("fault", "mode"), OTHERS)
def test_what_is_no_fault_of_rules_is_not_called_one(fault, mode):
    """Where the pods of externalTrafficPolicy Local are is told beside."""
    loud = [finding for finding in ask(case(fault, mode)).findings if finding.severity is Severity.ERROR]
    assert loud == []


def test_seen_from_a_node_that_is_well_it_is_a_warning():
    from_elsewhere = case("proxy-stale", "iptables", "")
    pod = next(
        pod
        for pod in from_elsewhere.snapshot.pods.items
        if pod.spec.node_name == "node2" and pod.namespace == "default"
    )
    (finding,) = ask(case("proxy-stale", "iptables", pod.name)).findings
    assert (finding.name, finding.severity) == ("proxy-stale", Severity.WARNING)
