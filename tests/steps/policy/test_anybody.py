"""Without a client: policies that let some in are normal; those that let nobody in are not."""

import pytest

from svcdoctor.model.diagnosis import Confidence, Effect, Severity, Verdict
from tests.build import Json, container

from .shop import NAME, WEB, Shop, found, let_in, let_out, loud, pods, spaces, tcp

DENY: Json = {"podSelector": {}, "policyTypes": ["Ingress"]}


@pytest.mark.parametrize(
    "specs",
    [
        (),
        (let_in(),),
        (let_in(pods(app="client")),),
        (let_in(pods(app="not-there-yet")),),
        (let_in(spaces({NAME: "not-there-yet"})),),
        (let_in(spaces({"team": "not-there-yet"})),),
        (let_in({"ipBlock": {"cidr": "203.0.113.0/24"}}),),
        (DENY, let_in(pods(app="client"))),
        (DENY, let_in(spaces({NAME: "monitoring"}), port=9090), let_in(pods(app="client"))),
        (let_in(pods(app="client"), port="http"),),
        (let_in(spaces({NAME: "front"}, **pods(app="client"))),),
        (let_out(),),
        (let_out(of={}),),
        ({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{"from": [pods()]}]},),
        ({"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Ingress"]},),
        (let_in({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/9"]}}),),
    ],
)
def test_policies_with_guests_are_well(specs):
    shop = Shop(*specs)
    diagnosis = shop.seen_from("")
    errors = [f.summary for f in diagnosis.findings if f.severity is Severity.ERROR]
    assert errors == []
    if not any("team" in str(spec) or "not-there-yet" in str(spec) for spec in specs):
        assert loud(diagnosis) == [], [f.summary for f in diagnosis.findings]


def test_a_default_deny_with_no_rule_at_all():
    diagnosis = Shop(DENY).seen_from("")
    finding = found(diagnosis)["np-default-deny"]
    assert diagnosis.root == "np-default-deny"
    assert diagnosis.verdict is Verdict.BROKEN
    assert finding.summary == (
        "NetworkPolicy shop/policy-0 isolates 3 pods behind the Service, and no rule lets anybody in on port 8080/TCP"
    )
    assert "narrow it to the clients" in finding.fix.text


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (let_in(pods(app="client"), port=80), "np-service-port"),
        (let_in(spaces(), port=80), "np-service-port"),
        (let_in(port=9999), "np-service-port"),
        (let_in(pods(app="client"), port="web"), "np-named-port"),
        (let_in({"ipBlock": {"cidr": "203.0.113.0/24"}}, port=80), "np-service-port"),
    ],
)
def test_rules_whose_every_guest_is_turned_away(spec, name):
    diagnosis = Shop(spec).seen_from("")
    assert (diagnosis.root, diagnosis.verdict) == (name, Verdict.BROKEN)
    assert loud(diagnosis) == [name]


def test_a_cluster_wide_policy_for_everybody():
    shop = Shop(let_in(pods(app="client")))
    shop.cluster_policy("lockdown", ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])
    assert shop.seen_from("").root == "np-tier-deny"


def test_a_cluster_wide_policy_with_a_guest():
    shop = Shop()
    rules = [
        {"action": "Accept", "from": [{"namespaces": {"matchLabels": {NAME: "front"}}}]},
        {"action": "Deny", "from": [{"namespaces": {}}]},
    ]
    shop.cluster_policy("lockdown", ingress=rules)
    shop.namespace_called("front")
    assert loud(shop.seen_from("")) == []


def test_a_namespace_meant_by_its_name_is_cut_off():
    """Others may come in, so it is a warning."""
    shop = Shop(let_in(spaces({"name": "front"}), pods(app="client")))
    shop.namespace_called("front")
    diagnosis = shop.seen_from("")
    finding = found(diagnosis)["np-ns-unlabelled"]
    assert loud(diagnosis) == ["np-ns-unlabelled"]
    assert (finding.severity, finding.effect, finding.confidence) == (
        Severity.WARNING,
        Effect.PARTIAL,
        Confidence.LIKELY,
    )


def test_a_namespace_meant_by_its_name_is_the_only_guest():
    shop = Shop(let_in(spaces({"name": "front"})))
    shop.namespace_called("front")
    diagnosis = shop.seen_from("")
    assert (diagnosis.root, diagnosis.verdict) == ("np-ns-unlabelled", Verdict.BROKEN)


def test_a_guest_whose_label_is_misspelt():
    finding = found(Shop(let_in(pods(app="cilent"))).seen_from(""))["np-peer-labels"]
    assert finding.severity is Severity.WARNING
    assert "wants pods with app=cilent, the pod has app=client" in finding.summary


# ---------------------------------------------------------------------------------------------- who plausibly calls


def caller(shop: Shop, namespace: str = "shop", **fields) -> None:
    shop.pod("caller", {"app": "caller"}, container("caller", **fields), namespace=namespace)


@pytest.mark.parametrize(
    "fields",
    [
        {"args": ["--backend=http://web"]},
        {"args": ["--backend", "http://web:80/api"]},
        {"args": ["web:80"]},
        {"command": ["sh", "-c", "curl web.shop.svc.cluster.local"]},
        {"env": [{"name": "WEB_URL", "value": "http://web"}]},
    ],
)
def test_a_caller_that_is_cut_off_is_a_warning(fields):
    shop = Shop(let_in(pods(app="client")))
    caller(shop, **fields)
    diagnosis = shop.seen_from("")
    finding = found(diagnosis)["np-peer-labels"]
    assert finding.severity is Severity.WARNING
    assert diagnosis.verdict is Verdict.DEGRADED
    assert "not Pod shop/caller" in finding.summary
    assert any("spec.containers[caller]" in fact.source for fact in finding.evidence)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"args": ["--web"]},
        {"args": ["--backend=http://web-admin", "web"]},
        {"args": ["nginx-web:80", "web.other.svc"]},
        {"env": [{"name": "WEB_WORKERS", "value": "4"}]},
        {"env": [{"name": "MY_WEB_URL", "value": "x"}]},
    ],
)
def test_a_word_that_happens_to_be_the_same_is_no_call(fields):
    shop = Shop(let_in(pods(app="client")))
    caller(shop, **fields)
    assert loud(shop.seen_from("")) == []


@pytest.mark.parametrize(("args", "calls"), [(["http://web.shop"], True), (["http://web"], False)])
def test_in_another_namespace_a_bare_name_is_anothers(args, calls):
    shop = Shop(let_in(pods(app="client")))
    caller(shop, "front", args=args)
    assert (loud(shop.seen_from("")) != []) is calls


def test_a_caller_that_cannot_ask_for_names():
    shop = Shop(let_out({"to": [pods(app="web")], "ports": tcp(8080)}, of={"app": "caller"}))
    caller(shop, args=["http://web"])
    finding = found(shop.seen_from(""))["np-dns-egress"]
    assert finding.severity is Severity.WARNING


# ---------------------------------------------------------------------------------------------------- from the outside


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_outside_clients_come_with_a_nodes_address(kind, policy):
    shop = Shop(let_in(pods(), {"ipBlock": {"cidr": "203.0.113.0/24"}}), type=kind, externalTrafficPolicy=policy)
    assert loud(shop.seen_from("")) == (["np-snat-source"] if policy == "Cluster" else [])


@pytest.mark.parametrize("block", ["0.0.0.0/0", "172.30.0.0/16"])
def test_a_block_that_holds_the_nodes_lets_them_in(block):
    shop = Shop(
        let_in({"ipBlock": {"cidr": "203.0.113.0/24"}}, {"ipBlock": {"cidr": block}}),
        type="NodePort",
        externalTrafficPolicy="Cluster",
    )
    assert loud(shop.seen_from("")) == []


def test_a_service_for_the_inside_has_no_outside():
    assert loud(Shop(let_in(pods(), {"ipBlock": {"cidr": "203.0.113.0/24"}})).seen_from("")) == []


# ------------------------------------------------------------------------------------------------------------- the rest


def test_some_endpoints_that_let_nobody_in():
    shop = Shop({"podSelector": {"matchLabels": {"release": "canary"}}, "policyTypes": ["Ingress"]})
    web = [pod for pod in shop.objects["pods"] if pod["metadata"]["labels"].get("app") == "web"]
    web[0]["metadata"]["labels"]["release"] = "canary"
    diagnosis = shop.seen_from("")
    assert (diagnosis.root, diagnosis.verdict) == ("np-default-deny", Verdict.DEGRADED)
    assert diagnosis.findings[0].summary.endswith("; 2 of 3 endpoints can be reached")


def test_the_name_service_is_not_blamed_for_its_clients_policies():
    from .shop import judged

    shop = Shop(let_out(), let_out(of={}))
    assert judged(shop.snapshot(), "", service="kube-system/kube-dns").findings == ()


def test_pods_behind_the_service_that_cannot_ask_for_names():
    """They serve all the same: advice. Without any rule for egress they are not meant to call anybody."""
    mute = Shop(let_out({"to": [pods(app="db")], "ports": tcp(5432)}, of=WEB)).seen_from("")
    assert [(f.name, f.severity) for f in mute.findings] == [("np-dns-egress", Severity.ADVICE)]
    assert (mute.root, mute.verdict) == (None, Verdict.HEALTHY)
    assert Shop(let_out(of=WEB)).seen_from("").findings == ()


def test_a_port_of_its_own_for_some():
    """Metrics that nobody may read are no outage of the Service, but of that port."""
    shop = Shop(let_in(pods(app="client")), ports=("http 80>8080", "metrics 9090>9090"))
    diagnosis = shop.seen_from("")
    assert diagnosis.verdict is not Verdict.BROKEN
    assert shop.seen_from("", port="http").findings == ()


def test_pods_on_the_hosts_network_are_not_called_shut():
    shop = Shop(DENY)
    for pod in shop.objects["pods"]:
        if pod["metadata"]["labels"].get("app") == "web":
            pod["spec"]["hostNetwork"] = True
    assert not [f for f in shop.seen_from("").findings if f.severity is Severity.ERROR]
