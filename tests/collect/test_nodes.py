"""Nodes of a running lab read through their kube-proxy pods, as a diagnosis reads them."""

import json
import re
import time

import pytest
from msgspec import structs

from svcdoctor.archive import load, save
from svcdoctor.collect import node_look, node_pages
from svcdoctor.collect.api import connect
from svcdoctor.collect.gather import gather
from svcdoctor.collect.kubeconfig import Options
from svcdoctor.collect.nodes import ALL, AUTO, read_nodes
from svcdoctor.diagnose import diagnose
from svcdoctor.lab.base import PROXY_MODES
from svcdoctor.lab.faults import BY_NAME, HEALTHY, path, proxy
from svcdoctor.lab.resources import named
from svcdoctor.lab.running import tell
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Status, Subject, Target
from svcdoctor.model.snapshot import Gap
from tests.lab.living import running

STEP = "proxy"
AROUND = ("forward-drop", "foreign-drop", "ip-forward-off")
UNSEEN = ("proxy-down",)
"""Where no kube-proxy runs, there is nothing to read a node through."""
ONE_MODE = [
    pytest.param(fault, mode, id=f"{fault.name}-{mode}")
    for fault in (*proxy.FAULTS, *(fault for fault in path.FAULTS if fault.name in AROUND))
    if fault.name not in UNSEEN
    for mode in fault.modes[-1:]
]


def look(lab, which=ALL, client="", limit=10.0):
    """What is read of the patient and of nodes, the target, and all that was announced."""
    api = connect(Options(kubeconfig=lab.kubeconfig))
    said: list[str] = []
    try:
        target = Target(api.namespace, "web", client=Subject("Pod", api.namespace, client) if client else None)
        gathered = gather(api, target)
        return read_nodes(api, gathered, target, which, said.append, limit), target, said
    finally:
        api.close()


def step(gathered, target):
    diagnosis = diagnose(Case(gathered.snapshot, target))
    return next(outcome for outcome in diagnosis.outcomes if outcome.step == STEP)


def deny(lab, resource):
    tell(lab.kubeconfig, "deny", verb="create", resource=resource)


# --------------------------------------------------------------------------------------------------------------- whole


@pytest.mark.parametrize("mode", PROXY_MODES)
def test_a_well_lab_is_well_and_reads_as_it_is(mode):
    with running(HEALTHY, proxy_mode=mode) as lab:
        gathered, target, said = look(lab)
        truth = lab.call(lambda cluster: {node: dict(cluster.proxies.files(node)) for node in ("node1", "node2")})
    assert (said, gathered.snapshot.gaps) == ([], ())
    outcome = step(gathered, target)
    assert (outcome.status, outcome.reason) == (Status.PASS, "2 of 2 nodes agree with the API")
    for node, files in truth.items():
        texts = gathered.snapshot.node_rules[node].texts
        assert set(files) - set(texts) <= {"kubelet-configz.json", "ipvsadm-Sn.txt", "ipvsadm-Ln.txt"}
        assert json.loads(texts["sysctl.json"]) == json.loads(files["sysctl.json"])
        assert _addresses(texts) == _addresses(files)
        assert _routes(texts) == _routes(files)
        for name in texts.keys() & {"conntrack.txt", "ip_vs.txt", "ipset.txt", "nft-ip-kube-proxy.json"}:
            assert texts[name] == files[name]
        assert _rules(texts["iptables-save.txt"]) == _rules(files["iptables-save.txt"])


def _addresses(files):
    return {
        (link["ifname"], info["local"])
        for link in json.loads(files["addresses.json"])
        for info in link["addr_info"]
        if info["scope"] != "link"
    }


def _routes(files):
    return {(route["dst"], route["dev"], route.get("gateway")) for route in json.loads(files["routes.json"])}


def _rules(text):
    return [re.sub(r"^\[\d+:\d+\] ", "", line) for line in text.splitlines() if "-A " in line]


@pytest.mark.parametrize(("fault", "mode"), ONE_MODE)
def test_faults_are_found_as_themselves(fault, mode, monkeypatch):
    monkeypatch.setattr(node_pages, "PORT_PATIENCE", 1.0)
    with running(fault, proxy_mode=mode) as lab:
        start = time.monotonic()
        gathered, target, _ = look(lab, client=fault.client)
        assert time.monotonic() - start < 9  # a kube-proxy that hangs holds nobody up
    assert [finding.name for finding in step(gathered, target).findings] == [fault.name]


def test_a_node_without_its_kube_proxy_could_not_be_read():
    fault = BY_NAME["proxy-down"]
    with running(fault) as lab:
        gathered, target, said = look(lab, client=fault.client)
    assert said == []
    assert gathered.snapshot.gaps == (Gap("nodes/node1", "no kube-proxy pod runs there to read it through"),)
    assert set(gathered.snapshot.node_rules) == {"node2"}
    assert step(gathered, target).status is Status.UNKNOWN


def test_what_is_saved_reads_back_the_same(tmp_path):
    fault = BY_NAME["rule-missing"]
    with running(fault) as lab:
        gathered, target, _ = look(lab, client=fault.client)
    save(tmp_path / "saved.tar.gz", gathered.snapshot, gathered.answers)
    saved = load(tmp_path / "saved.tar.gz")
    assert saved.node_rules == gathered.snapshot.node_rules
    assert diagnose(Case(saved, target)) == diagnose(Case(gathered.snapshot, target))


# ------------------------------------------------------------------------------------------------------- what may fail


def test_without_permission_it_is_a_gap_that_names_it():
    with running(HEALTHY) as lab:
        deny(lab, "pods/exec")
        gathered, target, _ = look(lab)
    (gap,) = gathered.snapshot.gaps
    assert (step(gathered, target).status, step(gathered, target).gaps) == (Status.UNKNOWN, (gap,))
    assert (gap.what, gap.permission) == ("nodes/node1", "create pods/exec in namespace kube-system")
    assert {name for rules in gathered.snapshot.node_rules.values() for name in rules.texts} == {
        "proxy-mode.txt",
        "proxy-metrics.txt",
        "proxy-configz.json",
        "proxy-healthz.json",
    }


def test_ports_that_may_not_be_asked_leave_the_rules():
    with running(HEALTHY) as lab:
        deny(lab, "pods/portforward")
        gathered, target, _ = look(lab)
    (gap,) = gathered.snapshot.gaps
    assert gap.permission == "create pods/portforward in namespace kube-system"
    assert step(gathered, target).reason == "2 of 2 nodes agree with the API"


def test_what_is_too_long_is_not_taken_for_the_whole(monkeypatch):
    monkeypatch.setattr(node_look, "MOST", 3000)
    with running(HEALTHY) as lab:
        gathered, _, _ = look(lab, ("node1",))
    assert Gap("nodes/node1/iptables-save.txt", "iptables-save prints more than 0 MiB") in gathered.snapshot.gaps
    assert "iptables-save.txt" not in gathered.snapshot.node_rules["node1"].texts


def test_time_that_is_up_is_a_gap():
    with running(HEALTHY) as lab:
        gathered, _, _ = look(lab, ("node1",), limit=0.0)
    assert {re.sub(r"-\w+:", ":", gap.why) for gap in gathered.snapshot.gaps} >= {
        "exec in kube-system/kube-proxy: timeout"
    }
    assert gathered.snapshot.node_rules == {}


def test_a_cluster_without_kube_proxy_is_said_once():
    with running(HEALTHY) as lab:
        lab.call(_without_proxy)
        gathered, target, said = look(lab)
    assert (gathered.snapshot.gaps, gathered.snapshot.node_rules) == ((), {})
    assert len(said) == 1
    assert said[0].startswith("no kube-proxy pod runs on node1, node2: ")
    assert step(gathered, target).status is Status.SKIPPED


def _without_proxy(cluster):
    for plural in ("daemonsets", "pods"):
        for stored in list(cluster.store.list(named(plural), "kube-system")):
            if stored.name.startswith("kube-proxy"):
                cluster.store.delete(named(plural), "kube-system", stored.name)


# ------------------------------------------------------------------------------------------------------- which of them


def test_a_few_that_matter_or_those_that_are_named():
    with running(HEALTHY, nodes=12) as lab:
        few, _, _ = look(lab, AUTO, "client")
        named_ones, _, _ = look(lab, ("node7", "node9"))
    snapshot = few.snapshot
    home = snapshot.pods.get("default", "client").spec.node_name
    behind = {entry.node_name for one in snapshot.endpointslices.items for entry in one.endpoints}
    assert len(snapshot.node_rules) == 8
    assert {home, *behind} <= set(snapshot.node_rules)
    assert set(named_ones.snapshot.node_rules) == {"node7", "node9"}


def test_a_service_that_is_not_there_needs_no_node():
    with running(HEALTHY) as lab:
        api = connect(Options(kubeconfig=lab.kubeconfig))
        target = Target("default", "nobody")
        gathered = gather(api, target)
        found = read_nodes(api, gathered, target, AUTO, print)
        api.close()
    assert found.snapshot.node_rules == {}
    assert structs.replace(found.snapshot, pods=gathered.snapshot.pods).gaps == gathered.snapshot.gaps
