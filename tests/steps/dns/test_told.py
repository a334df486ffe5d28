"""What kubelets and the Corefile say, beside what is there."""

import pytest

from svcdoctor.model.diagnosis import Verdict
from tests.build import CLUSTER_DNS, COREFILE
from tests.steps.dns.shop import Shop, reason
from tests.steps.judging import blamed, explain, well

# ------------------------------------------------------------------------------------------------------- what is told


def test_kubelets_name_an_address_that_nobody_has():
    made = Shop()
    made.tell(dns=("10.98.0.77",))
    finding = blamed(made.judge(None), "wrong-nameserver")
    assert finding.summary == "pods are told to ask 10.98.0.77 for names, but the name servers are at 10.98.0.10"
    assert blamed(made.judge(), "wrong-nameserver").subject.kind == "Pod"


def test_kubelets_name_a_service_that_serves_no_names():
    made = Shop()
    made.tell(dns=(made.web["spec"]["clusterIP"],))
    finding = blamed(made.judge(), "wrong-nameserver")
    assert any(fact.fact == "shop/web" for fact in finding.evidence)


def test_only_one_node_is_told_wrong():
    made = Shop()
    made.tell("node2", dns=("10.98.0.77",))
    diagnosis = made.judge(None)
    assert (diagnosis.root, diagnosis.verdict) == ("wrong-nameserver", Verdict.DEGRADED), explain(diagnosis)
    well(made.judge())


def test_a_kubelet_without_cluster_dns():
    made = Shop()
    made.tell(dns=())
    blamed(made.judge(), "wrong-nameserver")


def test_a_pod_that_is_older_than_the_setting():
    made = Shop()
    made.resolv_conf = (
        "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.98.0.77\noptions ndots:5\n"
    )
    finding = blamed(made.judge(), "wrong-nameserver")
    assert finding.fix.command == "kubectl -n shop delete pod client"


def test_a_second_name_server_of_another_address():
    made = Shop()
    made.tell(dns=(CLUSTER_DNS, "10.98.0.77"))
    well(made.judge())


def test_kubelets_and_corefile_speak_of_different_zones():
    made = Shop()
    made.tell(domain="k8s.internal")
    finding = blamed(made.judge(), "zone-mismatch")
    assert finding.summary == "pods search in k8s.internal, but the name servers serve cluster.local"


def test_a_zone_of_another_name_on_both_sides():
    made = Shop()
    made.tell(domain="k8s.internal")
    made.corefile(COREFILE.replace("cluster.local", "k8s.internal"))
    diagnosis = made.judge()
    well(diagnosis)
    assert reason(diagnosis).startswith("web.shop.svc.k8s.internal gives")


# -------------------------------------------------------------------------------------------------- corefile-override


def stanza(text: str) -> str:
    return COREFILE.replace("    kubernetes ", f"    {text}\n    kubernetes ", 1)


OVERRIDES = {
    "a template": stanza("template IN A web.shop.svc.cluster.local {\n rcode NXDOMAIN\n }"),
    "a host": stanza("hosts {\n 203.0.113.9 web.shop.svc.cluster.local\n fallthrough\n }"),
    "hosts without fallthrough": stanza("hosts {\n 203.0.113.9 other.example.com\n }"),
    "a rewrite": stanza("rewrite name web.shop.svc.cluster.local db.shop.svc.cluster.local"),
    "another namespace": COREFILE.replace("pods insecure", "namespaces other"),
    "other labels": COREFILE.replace("pods insecure", "labels team=a"),
    "a block of its own": COREFILE + "shop.svc.cluster.local {\n forward . 10.0.0.53\n}\n",
    "no plugin": COREFILE.replace("kubernetes cluster.local in-addr.arpa ip6.arpa {", "file db.cluster.local {"),
}


@pytest.mark.parametrize("how", OVERRIDES)
def test_the_corefile_takes_the_name(how):
    made = Shop()
    made.corefile(OVERRIDES[how])
    blamed(made.judge(None), "corefile-override")


HARMLESS = {
    "a template for others": stanza("template IN A example.org {\n rcode NXDOMAIN\n }"),
    "a template for another type": stanza("template IN MX cluster.local {\n rcode NXDOMAIN\n }"),
    "a host of another name": stanza("hosts {\n 203.0.113.9 db.example.com\n fallthrough\n }"),
    "a stub domain": COREFILE + "corp.example:53 {\n errors\n cache 30\n forward . 10.0.0.1\n}\n",
    "a custom plugin": stanza("meow on"),
    "a snippet": "(common) {\n errors\n}\n" + COREFILE.replace("    errors\n", "    import common\n", 1),
}


@pytest.mark.parametrize("how", HARMLESS)
def test_the_corefile_leaves_the_name_alone(how):
    made = Shop()
    made.corefile(HARMLESS[how])
    well(made.judge())


def test_an_override_that_is_not_in_force():
    """Somebody wrote it a moment ago; what is answered is still right."""
    made = Shop()
    made.corefile(OVERRIDES["a template"])
    made.saw(made.web["spec"]["clusterIP"])
    well(made.judge())
