"""The client's own resolver, its variables, and the whole way of a name."""

import pytest

from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Severity, Subject, Target
from svcdoctor.steps.dns.search import Libc
from svcdoctor.steps.dns.trace import trace
from tests.build import CLUSTER_DNS, COREFILE, NOW
from tests.steps.dns.shop import Shop, reason, root
from tests.steps.judging import blamed, names, well

# --------------------------------------------------------------------------------------------------------- the client


def client(made: Shop, **spec) -> None:
    made.client["spec"].update(spec)


@pytest.mark.parametrize(
    "spec",
    [{"dnsPolicy": "Default"}, {"hostNetwork": True}, {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["9.9.9.9"]}}],
)
def test_a_client_that_asks_others(spec):
    made = Shop()
    client(made, **spec)
    finding = blamed(made.judge(), "dns-policy")
    assert finding.subject.name == "client"
    well(made.judge(None))


@pytest.mark.parametrize(
    "spec",
    [
        {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
        {"dnsConfig": {"options": [{"name": "ndots", "value": "2"}]}},
        {
            "dnsPolicy": "None",
            "dnsConfig": {"nameservers": [CLUSTER_DNS], "searches": ["shop.svc.cluster.local", "svc.cluster.local"]},
        },
    ],
)
def test_clients_that_ask_the_cluster_in_their_own_way(spec):
    made = Shop()
    client(made, **spec)
    well(made.judge())


def test_a_client_without_a_search_list():
    made = Shop()
    client(made, dnsPolicy="None", dnsConfig={"nameservers": [CLUSTER_DNS]})
    diagnosis = made.judge()
    root(diagnosis, "dns-policy")
    assert "not by the name web" in reason(diagnosis)


def test_a_search_domain_that_answers_everything():
    made = Shop()
    made.corefile(COREFILE + 'wild.example {\n template IN A {\n answer "{{ .Name }} 60 IN A 203.0.113.9"\n }\n}\n')
    searches = ["wild.example", "shop.svc.cluster.local"]
    client(made, dnsPolicy="None", dnsConfig={"nameservers": [CLUSTER_DNS], "searches": searches})
    blamed(made.judge(), "search-hijack")


def test_a_search_domain_that_was_seen_to_answer_everything():
    """The whole name without its dot has four dots, fewer than five: the domains come first."""
    made = Shop()
    domains = "corp.example shop.svc.cluster.local svc.cluster.local cluster.local"
    made.resolv_conf = f"search {domains}\nnameserver {CLUSTER_DNS}\noptions ndots:5\n"
    made.saw("203.0.113.9", name="web.corp.example.")
    finding = blamed(made.judge(), "search-hijack")
    assert finding.confidence == "certain"


def test_a_search_domain_of_the_node_comes_after():
    made = Shop()
    domains = "shop.svc.cluster.local svc.cluster.local cluster.local corp.example"
    made.resolv_conf = f"search {domains}\nnameserver {CLUSTER_DNS}\noptions ndots:5\n"
    made.saw("203.0.113.9", name="web.corp.example.")
    well(made.judge())


# ---------------------------------------------------------------------------------------------------------- variables


def test_a_client_that_reads_a_variable_of_a_younger_service():
    made = Shop(created=100)
    made.client["spec"]["containers"][0]["args"] = ["--host=$(WEB_SERVICE_HOST)"]
    finding = blamed(made.judge(), "env-not-injected")
    assert "the Service is younger than the container" in finding.summary


def test_a_client_that_is_older_and_uses_names():
    made = Shop(created=100)
    diagnosis = made.judge()
    well(diagnosis)
    assert "env-not-injected" in names(diagnosis, Severity.ADVICE)


def test_a_client_whose_variable_is_there():
    made = Shop()
    made.client["spec"]["containers"][0]["args"] = ["--host=$(WEB_SERVICE_HOST)"]
    well(made.judge())


def test_a_variable_among_the_clients_own():
    made = Shop()
    made.client["spec"]["containers"][0]["env"] = [{"name": "WEB_HOST", "value": "web"}]
    root(made.judge(), "env-collision")
    made.client["spec"]["enableServiceLinks"] = False
    well(made.judge())


# -------------------------------------------------------------------------------------------------------------- trace


def test_the_whole_way_of_a_name():
    made = Shop()
    case = Case(made.snapshot(), Target("shop", "web", client=Subject("Pod", "shop", "client")))
    found = trace(case, Libc.MUSL)
    assert found is not None
    assert (found.name, found.short, found.client) == ("web.shop.svc.cluster.local", "web", "shop/client")
    assert found.told == (
        f"search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver {CLUSTER_DNS}\noptions ndots:5\n"
    )
    assert [tried.fate for tried in found.walk] == ["answers", "unreached", "unreached", "unreached"]
    assert found.walk[0].said[0].owner.startswith("kubernetes cluster.local in-addr.arpa ip6.arpa (line")
    assert [(said.type, said.expected) for said in found.records] == [
        ("A", made.web["spec"]["clusterIP"]),
        ("AAAA", "NODATA"),
        ("SRV", "8080 web.shop.svc.cluster.local."),
    ]
    assert trace(Case(made.snapshot(), Target("shop", "nobody"))) is None
    assert case.now == NOW
