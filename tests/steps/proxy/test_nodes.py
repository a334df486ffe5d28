"""Several nodes, young changes, and what was not read."""

from datetime import timedelta

from msgspec import structs

from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Severity, Subject, Target
from svcdoctor.model.node_rules import NodeRules, read
from svcdoctor.model.snapshot import Gap, Snapshot
from svcdoctor.steps.proxy import ask

from .labs import case, snapshot

WEB = Target("default", "web")


def edited(rules: NodeRules, file: str, old: str, new: str) -> NodeRules:
    """The node with another text in one of its files."""
    assert old in rules.texts[file]
    return again(rules.node, {**rules.texts, file: rules.texts[file].replace(old, new)})


def again(node: str, texts: dict[str, str]) -> NodeRules:
    return read(node, {name: text.encode() for name, text in texts.items()})


def with_rules(found: Snapshot, *changed: NodeRules) -> Snapshot:
    return structs.replace(found, node_rules={**found.node_rules, **{rules.node: rules for rules in changed}})


def without(found: Snapshot, node: str, *files: str) -> Snapshot:
    left = {name: text for name, text in found.node_rules[node].texts.items() if name not in files}
    return with_rules(found, again(node, left))


def test_the_nodes_that_differ_are_named():
    found = snapshot("healthy", "iptables", 6)
    stale = [edited(found.node_rules[name], "iptables-save.txt", ":8080", ":8081") for name in ("node2", "node5")]
    (finding,) = ask(Case(with_rules(found, *stale), WEB)).findings
    assert finding.name == "proxy-stale"
    assert finding.evidence[0].fact == (
        "4 of 6 nodes agree with the API, 2 nodes (node2, node5) differ, last synced 59 min ago"
    )
    assert finding.summary == (
        "the rules on 2 nodes (node2, node5) are stale: they lead to 3 addresses that no endpoint has and to none of "
        "the present ones"
    )
    assert {ruled_out.name for ruled_out in finding.ruled_out} == {"proxy-down"}


def test_what_changed_a_moment_ago_may_be_on_its_way():
    """The lab's pods are an hour old; rules of a moment after they changed are as old as they may be."""
    found = snapshot("healthy", "iptables")
    stale = with_rules(found, edited(found.node_rules["node1"], "iptables-save.txt", ":8080", ":8081"))
    ready = max(
        condition.last_transition_time
        for pod in found.pods.within("default")
        for condition in pod.status.conditions
        if condition.type == "Ready" and condition.last_transition_time and pod.labels.get("app") == "web"
    )
    young = ask(Case(structs.replace(stale, taken_at=ready + timedelta(seconds=5)), WEB))
    assert [finding.name for finding in young.findings] == []
    old = ask(Case(structs.replace(stale, taken_at=ready + timedelta(seconds=60)), WEB))
    assert [finding.name for finding in old.findings] == ["proxy-stale"]


def test_without_any_node_the_step_has_nothing_to_say():
    answer = ask(Case(structs.replace(snapshot("healthy", "iptables"), node_rules={}), WEB))
    assert (answer.skipped, answer.findings, answer.gaps) == (True, (), ())
    assert answer.reason == "no node's rules were read"


def test_where_there_is_no_kube_proxy_nothing_is_judged():
    """Other programs take its place; the kubelet's chains and its ConfigMap may be left of it."""
    found = snapshot("healthy", "iptables")
    kubelets = "*filter\n:INPUT ACCEPT [0:0]\n:KUBE-FIREWALL - [0:0]\nCOMMIT\n"
    pods = structs.replace(
        found.pods, items=tuple(pod for pod in found.pods.items if not pod.name.startswith("kube-proxy"))
    )
    nodes = {name: again(name, {"iptables-save.txt": kubelets}) for name in found.node_rules}
    answer = ask(Case(structs.replace(found, pods=pods, node_rules=nodes), WEB))
    assert (answer.skipped, answer.findings, answer.gaps) == (True, (), ())
    assert answer.reason == "no kube-proxy has written rules on node1, node2, node3"


def test_a_node_that_lacks_all_rules_where_others_have_them():
    found = snapshot("healthy", "iptables")
    texts = {**found.node_rules["node1"].texts, "iptables-save.txt": "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"}
    (finding,) = ask(Case(with_rules(found, again("node1", texts)), WEB)).findings
    assert (finding.name, finding.severity) == ("rule-missing", Severity.ERROR)
    assert finding.summary.startswith("node1 has no rule: ClusterIP 10.96.")


def test_a_dump_that_was_not_read_is_no_missing_rule():
    found = without(snapshot("healthy", "ipvs"), "node1", "ipset.txt")
    answer = ask(Case(found, WEB))
    assert answer.findings == ()
    assert answer.gaps == (Gap("nodes/node1: rules", "ipset.txt was not read"),)
    assert answer.reason == "2 of 3 nodes agree with the API; of node1 not all is known"


def test_a_dump_that_is_none():
    found = snapshot("healthy", "iptables")
    rules = again("node1", {**found.node_rules["node1"].texts, "iptables-save.txt": "cut short\n"})
    answer = ask(Case(with_rules(found, rules), WEB))
    assert answer.findings == ()
    assert [gap.what for gap in answer.gaps] == ["nodes/node1: rules"]
    assert "nodes/node1/iptables-save.txt" in answer.gaps[0].why


def test_the_rules_of_the_clients_node_are_missed():
    found = snapshot("healthy", "iptables")
    left = {name: rules for name, rules in found.node_rules.items() if name != "node1"}
    target = structs.replace(WEB, client=Subject("Node", "", "node1"))
    answer = ask(Case(structs.replace(found, node_rules=left), target))
    assert answer.findings == ()
    assert answer.gaps == (Gap("nodes/node1", "the rules of the client's node were not read"),)


def test_healthz_is_not_believed():
    """200, though the kernel has refused every sync since the first."""
    found = snapshot("proxy-sync-error", "iptables")
    assert found.node_rules["node1"].health is not None
    texts = dict(found.node_rules["node1"].texts)
    texts["proxy-healthz.json"] = '{"lastUpdated": "2026-11-25T12:00:00Z", "healthy": true}'
    answer = ask(Case(with_rules(found, again("node1", texts)), WEB))
    assert [finding.name for finding in answer.findings] == ["proxy-sync-error"]


def test_no_endpoint_at_all_is_a_consequence():
    found = snapshot("selector-typo", "iptables")
    (finding,) = ask(Case(found, WEB)).findings
    assert (finding.name, finding.severity) == ("reject-no-endpoints", Severity.ADVICE)
    assert "icmp-port-unreachable" in finding.evidence[0].fact


def test_counters_tell_that_somebody_sends_to_nodes_without_endpoints():
    found = case("etp-local-hole", "iptables").snapshot
    rules = found.node_rules["node1"]
    old = "[0:0] -A KUBE-EXTERNAL-SERVICES -d 203.0.113.80/32"
    hit = edited(rules, "iptables-save.txt", old, old.replace("[0:0]", "[42:2520]"))
    (finding,) = ask(Case(with_rules(found, hit), WEB)).findings
    assert (finding.name, finding.severity) == ("etp-local-hole", Severity.ERROR)
    assert "42 packets dropped" in [evidence.fact for evidence in finding.evidence]
