"""Objects to answers: what the specification asks for, and the options of the kubernetes plugin."""

import dns.flags
import pytest

from svcdoctor.lab.dns import Behaviour, NameServer

from .world import (
    Json,
    Objects,
    answers,
    endpoint,
    external,
    kube_dns,
    lines,
    name_server,
    piece,
    port,
    put,
    service,
)

SHOP = "shop.svc.cluster.local."


def asked(server: NameServer, name: str, rdtype: str = "A") -> tuple[str, list[str]]:
    message = put(server, name, rdtype, transport="tcp")
    return answers(message)


def stanza(option: str) -> str:
    return f".:53 {{\n  kubernetes cluster.local {{\n    {option}\n  }}\n}}"


STATEFUL = [
    endpoint("10.244.1.5", hostname="db-0", pod="db-0"),
    endpoint("10.244.2.5", hostname="db-1", ready=None, pod="db-1"),
    endpoint("10.244.1.6", hostname="db-2", ready=False, pod="db-2"),
]
PORTS = [port("pg", 5432), port("metrics", 9187)]


def stateful() -> NameServer:
    return name_server(Objects([service("db", "None")], [piece("db", *STATEFUL, ports=PORTS)]))


def test_a_headless_service_has_its_ready_endpoints() -> None:
    assert asked(stateful(), f"db.{SHOP}") == ("NOERROR", [f"db.{SHOP} A 10.244.1.5", f"db.{SHOP} A 10.244.2.5"])
    assert asked(stateful(), f"db-0.db.{SHOP}") == ("NOERROR", [f"db-0.db.{SHOP} A 10.244.1.5"])
    assert asked(stateful(), f"db-2.db.{SHOP}") == ("NXDOMAIN", [])
    assert asked(stateful(), f"10-244-1-5.db.{SHOP}") == ("NXDOMAIN", [])


def test_srv_of_a_headless_service_is_every_endpoint_by_every_port() -> None:
    assert asked(stateful(), f"db.{SHOP}", "SRV")[1] == [
        f"db.{SHOP} SRV 0 25 5432 db-0.db.{SHOP}",
        f"db.{SHOP} SRV 0 25 5432 db-1.db.{SHOP}",
        f"db.{SHOP} SRV 0 25 9187 db-0.db.{SHOP}",
        f"db.{SHOP} SRV 0 25 9187 db-1.db.{SHOP}",
    ]
    assert asked(stateful(), f"_metrics._tcp.db.{SHOP}", "SRV")[1] == [
        f"_metrics._tcp.db.{SHOP} SRV 0 50 9187 db-0.db.{SHOP}",
        f"_metrics._tcp.db.{SHOP} SRV 0 50 9187 db-1.db.{SHOP}",
    ]
    assert asked(stateful(), f"_metrics._udp.db.{SHOP}", "SRV") == ("NXDOMAIN", [])


@pytest.mark.parametrize("slices", [[], [piece("db", endpoint("10.244.1.5", ready=False))], [piece("db")]])
def test_headless_without_a_ready_endpoint_does_not_exist(slices: list[Json]) -> None:
    server = name_server(Objects([service("db", "None")], slices))
    assert asked(server, f"db.{SHOP}") == ("NXDOMAIN", [])


def test_one_address_in_two_slices_is_one_answer() -> None:
    twice = [piece("db", endpoint("10.244.1.5")), piece("db", endpoint("10.244.1.5"))]
    server = name_server(Objects([service("db", "None")], twice))
    assert asked(server, f"db.{SHOP}") == ("NOERROR", [f"db.{SHOP} A 10.244.1.5"])
    assert asked(server, f"db.{SHOP}", "SRV")[1] == [f"db.{SHOP} SRV 0 50 8080 10-244-1-5.db.{SHOP}"]


def test_a_clusterip_service_resolves_without_endpoints() -> None:
    server = name_server(Objects([service("web", "10.96.0.20", "fd00:10:96::20")]))
    assert asked(server, f"web.{SHOP}") == ("NOERROR", [f"web.{SHOP} A 10.96.0.20"])
    assert asked(server, f"web.{SHOP}", "AAAA") == ("NOERROR", [f"web.{SHOP} AAAA fd00:10:96::20"])
    assert asked(server, f"web.{SHOP}", "MX") == ("NOERROR", [])


def test_an_unnamed_port_has_no_srv_record_of_its_own() -> None:
    server = name_server(Objects([service("web", "10.96.0.20", ports=[port(None, 80)])]))
    assert asked(server, f"_http._tcp.web.{SHOP}", "SRV") == ("NXDOMAIN", [])
    assert asked(server, f"web.{SHOP}", "SRV") == ("NOERROR", [f"web.{SHOP} SRV 0 100 80 web.{SHOP}"])


def test_the_endpoint_of_a_clusterip_service_has_a_name() -> None:
    server = name_server(Objects([service("web", "10.96.0.20")], [piece("web", endpoint("10.244.1.7"))]))
    assert asked(server, f"10-244-1-7.web.{SHOP}") == ("NOERROR", [f"10-244-1-7.web.{SHOP} A 10.244.1.7"])


NOWHERE = [
    ("missing.shop.svc.cluster.local.", "A"),
    ("web.gone.svc.cluster.local.", "A"),
    ("a.b.c.web.shop.svc.cluster.local.", "A"),
    ("web.shop.cluster.local.", "A"),
    ("*.shop.svc.cluster.local.", "A"),
    ("dns-version.cluster.local.", "A"),
    ("shop.svc.cluster.local.", "TXT"),
    (r"\255\000.shop.svc.cluster.local.", "A"),
]
EMPTY = ["cluster.local.", "svc.cluster.local.", "pod.cluster.local.", SHOP, "shop.pod.cluster.local."]


@pytest.mark.parametrize(("name", "rdtype"), NOWHERE)
def test_what_does_not_exist(name: str, rdtype: str) -> None:
    server = name_server(Objects([service("web", "10.96.0.20")]))
    message = put(server, name, rdtype)
    assert answers(message) == ("NXDOMAIN", [])
    soa = "cluster.local. 30 SOA ns.dns.cluster.local. hostmaster.cluster.local. serial 7200 1800 86400 minimum"
    assert lines(message.authority) == [soa]


@pytest.mark.parametrize("name", EMPTY)
def test_a_name_that_only_has_names_below_it(name: str) -> None:
    assert asked(name_server(Objects([service("web", "10.96.0.20")])), name) == ("NOERROR", [])


# -------------------------------------------------------------------------------------------------------- ExternalName

ALIASES = Objects(
    [
        service("web", "10.96.0.20"),
        external("out", "example.com"),
        external("www", "www.example.com."),
        external("gone", "db.nowhere.invalid"),
        external("in", "web.shop.svc.cluster.local"),
        external("nobody", "missing.shop.svc.cluster.local"),
        external("address", "10.0.0.1"),
        external("self", "self.shop.svc.cluster.local"),
        external("round", "about.shop.svc.cluster.local"),
        external("about", "round.shop.svc.cluster.local"),
        external("odd", "a..b"),
    ]
)
FOLLOWED = [
    ("out", "A", "NOERROR", ["example.com. A 93.184.216.34", f"out.{SHOP} CNAME example.com."]),
    (
        "www",
        "A",
        "NOERROR",
        ["example.com. A 93.184.216.34", "www.example.com. CNAME example.com.", f"www.{SHOP} CNAME www.example.com."],
    ),
    ("gone", "A", "NOERROR", [f"gone.{SHOP} CNAME db.nowhere.invalid."]),
    ("in", "A", "NOERROR", [f"in.{SHOP} CNAME web.{SHOP}", f"web.{SHOP} A 10.96.0.20"]),
    ("in", "AAAA", "NOERROR", []),
    ("nobody", "A", "NOERROR", []),
    ("nobody", "CNAME", "NOERROR", [f"nobody.{SHOP} CNAME missing.{SHOP}"]),
    ("address", "A", "NXDOMAIN", []),
    ("self", "A", "NOERROR", []),
    ("round", "A", "NOERROR", []),
    ("odd", "A", "NOERROR", []),
    ("out", "SRV", "NOERROR", []),
    ("out", "TXT", "NOERROR", []),
    ("endpoint.out", "A", "NXDOMAIN", []),
]


@pytest.mark.parametrize(("name", "rdtype", "rcode", "answer"), FOLLOWED)
def test_an_external_name_is_followed(name: str, rdtype: str, rcode: str, answer: list[str]) -> None:
    assert asked(name_server(ALIASES), f"{name}.{SHOP}", rdtype) == (rcode, answer)


# ------------------------------------------------------------------------------------------------------------- reverse


def test_an_address_leads_back_to_its_service_or_to_its_endpoint() -> None:
    served = service("web", "10.96.0.20", "fd00:10:96::20")
    slices = [piece("web", endpoint("10.244.1.7"), endpoint("10.244.1.8", ready=False)), piece("db", *STATEFUL)]
    server = name_server(Objects([served, service("db", "None")], slices))
    assert asked(server, "20.0.96.10.in-addr.arpa.", "PTR")[1] == [f"20.0.96.10.in-addr.arpa. PTR web.{SHOP}"]
    assert asked(server, "5.1.244.10.in-addr.arpa.", "PTR")[1] == [f"5.1.244.10.in-addr.arpa. PTR db-0.db.{SHOP}"]
    assert asked(server, "7.1.244.10.in-addr.arpa.", "PTR")[1] == [
        f"7.1.244.10.in-addr.arpa. PTR 10-244-1-7.web.{SHOP}"
    ]
    assert asked(server, "8.1.244.10.in-addr.arpa.", "PTR") == ("NXDOMAIN", [])  # not ready: asked of the upstream
    v6 = "0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa."
    assert asked(server, v6, "PTR")[1] == [f"{v6} PTR web.{SHOP}"]
    assert asked(server, f"web.{SHOP}", "PTR") == ("NOERROR", [])
    assert asked(server, "96.10.in-addr.arpa.", "PTR")[0] == "NXDOMAIN"


def test_who_serves_the_zone() -> None:
    slices = [piece("kube-dns", endpoint("10.244.1.2"), namespace="kube-system")]
    server = name_server(Objects(kube_dns(), slices), addresses=["10.244.1.2"])
    message = put(server, "cluster.local", "NS")
    assert lines(message.answer) == ["cluster.local. 30 NS kube-dns.kube-system.svc.cluster.local."]
    assert lines(message.additional) == ["kube-dns.kube-system.svc.cluster.local. 30 A 10.96.0.10"]
    assert asked(server, "ns.dns.cluster.local.")[1] == ["ns.dns.cluster.local. A 10.96.0.10"]
    alone = name_server(Objects(kube_dns()), addresses=["10.244.1.2"])
    assert asked(alone, "cluster.local.", "NS")[1] == ["cluster.local. NS ns.dns.cluster.local."]


# ------------------------------------------------------------------------------------------------------------- options


def test_namespaces_that_are_not_named_are_hidden() -> None:
    known = Objects([service("web", "10.96.0.20"), service("web", "10.96.0.21", namespace="dev")])
    server = name_server(known, stanza("namespaces dev"))
    assert asked(server, f"web.{SHOP}") == ("NXDOMAIN", [])
    assert asked(server, "web.dev.svc.cluster.local.")[0] == "NOERROR"


SELECTED = ["tier=front", "tier in (front, middle)", "tier,!legacy", "tier!=back", "tier notin (back)", "tier == front"]


@pytest.mark.parametrize("selector", SELECTED)
def test_labels_choose_objects_and_namespaces(selector: str) -> None:
    front = service("web", "10.96.0.20", labels={"tier": "front"})
    back = service("db", "10.96.0.21", labels={"tier": "back", "legacy": "yes"})
    by_object = name_server(Objects([front, back]), stanza(f"labels {selector}"))
    assert [asked(by_object, f"{name}.{SHOP}")[0] for name in ("web", "db")] == ["NOERROR", "NXDOMAIN"]
    namespaces = {"shop": {"tier": "front"}, "dev": {"tier": "back", "legacy": "yes"}}
    known = Objects([front, service("web", "10.96.0.22", namespace="dev")], namespaces=namespaces)
    by_namespace = name_server(known, stanza(f"namespace_labels {selector}"))
    assert asked(by_namespace, f"web.{SHOP}")[0] == "NOERROR"
    assert asked(by_namespace, "web.dev.svc.cluster.local.")[0] == "NXDOMAIN"


def test_options_on_endpoints() -> None:
    pods = [piece("web", endpoint("10.244.1.7", pod="web-7d.x"))]
    known = Objects([service("web", "10.96.0.20"), service("idle", "10.96.0.21"), service("db", "None")], pods)
    ignoring = name_server(known, stanza("ignore empty_service"))
    assert [asked(ignoring, f"{name}.{SHOP}")[0] for name in ("web", "idle", "db")] == [
        "NOERROR",
        "NXDOMAIN",
        "NXDOMAIN",
    ]
    named = name_server(known, stanza("endpoint_pod_names"))
    target = name_server(Objects([service("web", "None")], pods), stanza("endpoint_pod_names"))
    assert asked(named, f"10-244-1-7.web.{SHOP}")[0] == "NXDOMAIN"
    assert asked(target, f"web.{SHOP}", "SRV")[1] == [f"web.{SHOP} SRV 0 100 8080 web-7d.x.web.{SHOP}"]
    blind = name_server(Objects([service("web", "None")], pods), stanza("noendpoints"))
    assert asked(blind, f"web.{SHOP}") == ("NXDOMAIN", [])


def test_ended_pods_are_not_verified() -> None:
    def pod(ip: str, phase: str, **meta: str) -> Json:
        return {"metadata": {"name": "p", "namespace": "shop", **meta}, "status": {"podIP": ip, "phase": phase}}

    leaving = pod("10.244.1.3", "Running", deletionTimestamp="2026-11-24T12:00:00Z")
    pods = [pod("10.244.1.1", "Running"), pod("10.244.1.2", "Succeeded"), leaving, pod("fd00::5", "Running")]
    server = name_server(Objects(namespaces={"shop": {}}, pods=pods), stanza("pods verified"))
    names = ["10-244-1-1", "10-244-1-2", "10-244-1-3", "10-244-1-4"]
    rcodes = [asked(server, f"{name}.shop.pod.cluster.local.")[0] for name in names]
    assert rcodes == ["NOERROR", "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"]
    assert asked(server, "fd00--5.shop.pod.cluster.local.", "AAAA")[1] == [
        "fd00--5.shop.pod.cluster.local. AAAA fd00::5"
    ]


def test_ttl_defaults_to_five_seconds() -> None:
    known = Objects([service("web", "10.96.0.20")])
    for option, ttl in (("", 5), ("ttl 0", 0), ("ttl 3600", 3600)):
        message = put(name_server(known, stanza(option)), f"web.{SHOP}")
        assert [rrset.ttl for rrset in message.answer] == [ttl]


# ----------------------------------------------------------------------------------------------------- blind informers


def test_what_is_not_found_before_the_informers_synced_is_a_failure() -> None:
    server = name_server(Objects([service("web", "10.96.0.20")]), behaviour=Behaviour(unsynced=True))
    assert asked(server, f"web.{SHOP}") == ("SERVFAIL", [])
    assert asked(server, "dns-version.cluster.local.", "TXT")[0] == "NOERROR"
    assert asked(server, "example.com.")[0] == "NOERROR"


@pytest.mark.parametrize(("endpoints", "rcode"), [("hidden", "NXDOMAIN"), ("unsynced", "SERVFAIL")])
def test_without_endpointslices_only_headless_names_fail(endpoints: str, rcode: str) -> None:
    server = stateful_and_web()
    server.behaviour = Behaviour(endpoints=endpoints)  # type: ignore[arg-type]
    assert asked(server, f"db.{SHOP}") == (rcode, [])
    assert asked(server, f"web.{SHOP}")[0] == "NOERROR"
    server.behaviour = Behaviour()
    assert asked(server, f"db.{SHOP}")[0] == "NOERROR"


def stateful_and_web() -> NameServer:
    return name_server(Objects([service("db", "None"), service("web", "10.96.0.20")], [piece("db", *STATEFUL)]))


def test_kubernetes_answers_claim_no_recursion_and_forwarded_ones_do() -> None:
    server = stateful_and_web()
    inside = put(server, f"web.{SHOP}")
    outside = put(server, "example.com")
    assert dns.flags.to_text(inside.flags) == "QR AA RD"
    assert dns.flags.to_text(outside.flags) == "QR RD RA"
