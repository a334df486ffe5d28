"""The answers that objects demand, held against CoreDNS's own tables and against what recorded clusters answered."""

import json
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from svcdoctor import archive
from svcdoctor.model.cluster import Namespace
from svcdoctor.model.meta import ObjectMeta, ServiceMeta
from svcdoctor.model.pod import Pod, PodStatus
from svcdoctor.model.service import (
    SERVICE_NAME_LABEL,
    EndpointConditions,
    EndpointSlice,
    ObjectReference,
    Service,
    ServicePort,
    ServiceSpec,
    SliceEndpoint,
    SlicePort,
)
from svcdoctor.model.snapshot import CLUSTER, Reading, Snapshot
from svcdoctor.steps.dns import corefile, kubernetes_plugin, names
from svcdoctor.steps.dns.answer import Expected, Kind, Record
from svcdoctor.steps.dns.expected import ClusterRecords
from svcdoctor.steps.dns.kubernetes_plugin import MANIFEST, KubernetesPlugin
from svcdoctor.steps.dns.label_selector import parse as parse_selector

TABLES = json.loads((Path(__file__).parent / "dns_records.json").read_text())["coredns"]
CASES = Path(__file__).parents[2] / "cases"
MOMENT = datetime(2026, 11, 23, 2, tzinfo=UTC)
WHOLE = frozenset({CLUSTER})


def service(namespace: str, name: str, *ports: ServicePort, **spec: Any) -> Service:
    addresses = tuple(spec.get("cluster_ips", ()))
    return Service(
        metadata=ServiceMeta(name=name, namespace=namespace),
        spec=ServiceSpec(ports=ports, cluster_ip=addresses[0] if addresses else "", **spec),
    )


def endpoint_slice(namespace: str, of: str, endpoints: Any, ports: Any, family: str = "IPv4") -> EndpointSlice:
    meta = ObjectMeta(name=f"{of}-{family.lower()}", namespace=namespace, labels={SERVICE_NAME_LABEL: of})
    return EndpointSlice(metadata=meta, address_type=family, endpoints=tuple(endpoints), ports=tuple(ports))


def table_snapshot() -> Snapshot:
    services = [
        service(
            item["namespace"],
            item["name"],
            *(ServicePort(name=p["name"], port=p["port"], protocol=p["protocol"]) for p in item["ports"]),
            type=item["type"],
            cluster_ips=tuple(item.get("clusterIPs", ())),
            external_name=item.get("externalName", ""),
        )
        for item in TABLES["services"]
    ]
    slices = [
        endpoint_slice(
            item["namespace"],
            item["service"],
            [
                SliceEndpoint(addresses=(address["ip"],), hostname=address.get("hostname"))
                for address in item["addresses"]
                if (":" in address["ip"]) is (family == "IPv6")
            ],
            [SlicePort(name=p["name"], port=p["port"], protocol=p["protocol"]) for p in item["ports"]],
            family,
        )
        for item in TABLES["endpoints"]
        for family in ("IPv4", "IPv6")
    ]
    pods = [Pod(metadata=ObjectMeta(name="foo", namespace="podns"), status=PodStatus(pod_ip="10.240.0.1"))]
    names = {"kube-system", "testns", "unexposedns", "podns", "svcns"}
    namespaces = [Namespace(metadata=ObjectMeta(name=name)) for name in sorted(names)]
    return Snapshot(
        taken_at=MOMENT,
        services=Reading(tuple(services), WHOLE),
        endpointslices=Reading(tuple(slices), WHOLE),
        pods=Reading(tuple(pods), WHOLE),
        namespaces=Reading(tuple(namespaces), WHOLE),
    )


def plugin_of(directive: str) -> KubernetesPlugin:
    lines = directive.replace("{", "{\n").replace("}", "\n}")
    block = corefile.parse(f". {{\n{lines}\n}}").blocks[0]
    return kubernetes_plugin.read(block.directives[0], block.zones)


def record(line: str) -> Record:
    owner, _, _, type, data = line.split(maxsplit=4)
    return Record.read(owner, type, data)


def asked(group: Any, case: Any) -> Expected:
    plugin = plugin_of(group["corefile"])
    return ClusterRecords(table_snapshot(), plugin, group["name"] != "notSyncedTestCases").expect(
        case["qname"], case["qtype"]
    )


@pytest.mark.parametrize(
    ("group", "case"),
    [
        pytest.param(group, case, id=f"{group['name']}: {case['qname']} {case['qtype']}")
        for group in TABLES["groups"]
        for case in group["cases"]
    ],
)
def test_coredns_tables(group, case):
    found = asked(group, case)
    wanted = [record(line) for line in case["answer"]]
    if case.get("needs_upstream"):
        assert (found.kind, found.target) == (Kind.ELSEWHERE, "ext.interwebs.test.")
        assert set(found.records) < set(wanted)
        return
    assert found.rcode == case["rcode"], found
    assert set(found.records) == set(wanted), found
    assert not found.differs(case["rcode"], tuple(wanted))
    assert set(found.additional) == {record(line) for line in case["additional"]}
    assert [found.zone] if found.zone else [line.split()[0] for line in case["authority"]] == []


RECORDED = sorted(path.parent for path in CASES.glob("*/dns.json"))


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_recorded_answers(folder):
    """A real CoreDNS answered what its cluster's objects demand."""
    records = ClusterRecords(archive.load(folder), MANIFEST)
    for answer in json.loads((folder / "dns.json").read_text()):
        said = tuple(Record.read(a["name"], a["type"], a["data"]) for a in answer["answers"])
        found = records.expect(answer["name"], answer["type"])
        assert not found.differs(answer["rcode"], said), (answer, found)


# ------------------------------------------------------------------------------------- what was read, and what was not

PORT = ServicePort(name="http", port=80)
SHOP = frozenset({"shop"})


def endpoint(address: str, ready: bool | None = True, hostname: str = "", **more: Any) -> SliceEndpoint:
    conditions = EndpointConditions(ready=ready, **more)
    target = ObjectReference(kind="Pod", namespace="shop", name=f"pod-{address[-1]}")
    return SliceEndpoint(addresses=(address,), conditions=conditions, hostname=hostname, target_ref=target)


SERVICES = (
    service("shop", "web", PORT, cluster_ips=("10.0.0.1",)),
    service("shop", "db", ServicePort(name="sql", port=5432), cluster_ips=("None",)),
    service("shop", "idle", PORT, cluster_ips=("None",)),
    service("shop", "loop-a", type="ExternalName", external_name="loop-b.shop.svc.cluster.local"),
    service("shop", "loop-b", type="ExternalName", external_name="loop-a.shop.svc.cluster.local"),
    service("shop", "self", type="ExternalName", external_name="self.shop.svc.cluster.local"),
    service("shop", "gone", type="ExternalName", external_name="nobody.shop.svc.cluster.local"),
    service("shop", "far", type="ExternalName", external_name="hop.shop.svc.cluster.local"),
    service("shop", "hop", type="ExternalName", external_name="db.example.com"),
    service("shop", "number", type="ExternalName", external_name="10.1.2.3"),
    service("shop", "alias", type="ExternalName", external_name="web.shop.svc.cluster.local"),
)
SLICES = (
    endpoint_slice("shop", "web", [endpoint("10.1.0.9")], [SlicePort(name="http", port=8080, protocol="TCP")]),
    endpoint_slice(
        "shop",
        "db",
        [
            endpoint("10.1.0.1", None, "db-0"),
            endpoint("10.1.0.2", True),
            endpoint("10.1.0.3", False, "db-2"),
            endpoint("10.1.0.4", False, serving=True, terminating=True),
        ],
        [SlicePort(name="sql", port=5432, protocol="TCP")],
    ),
    endpoint_slice("shop", "idle", [endpoint("10.1.0.5", False)], [SlicePort(name="http", port=80, protocol="TCP")]),
)


def snapshot(**changes: Any) -> Snapshot:
    """One namespace, read whole, and nothing of the others."""
    kept: dict[str, Any] = {
        "services": Reading(SERVICES, SHOP),
        "endpointslices": Reading(SLICES, SHOP),
        "pods": Reading((), SHOP),
    }
    return Snapshot(taken_at=MOMENT, **kept | changes)


def expect(name: str, type: str = "A", read: Snapshot | None = None, **options: Any) -> Expected:
    plugin = structs.replace(MANIFEST, **options)
    return ClusterRecords(read or snapshot(), plugin).expect(f"{name}.cluster.local", type)


def said(found: Expected) -> tuple[Kind, list[str], str]:
    return found.kind, [record.data for record in found.records], found.why


@pytest.mark.parametrize(
    ("name", "type", "answer"),
    [
        ("web.shop.svc", "A", (Kind.ANSWER, ["10.0.0.1"], "Service shop/web has ClusterIP 10.0.0.1")),
        ("web.shop.svc", "AAAA", (Kind.NODATA, [], "Service shop/web has ClusterIP 10.0.0.1: no AAAA record")),
        ("db.shop.svc", "A",
         (Kind.ANSWER, ["10.1.0.1", "10.1.0.2"], "2 endpoints are ready behind headless Service shop/db")),
        ("db-0.db.shop.svc", "A", (Kind.ANSWER, ["10.1.0.1"], "1 endpoint is ready behind headless Service shop/db")),
        ("10-1-0-2.db.shop.svc", "A",
         (Kind.ANSWER, ["10.1.0.2"], "1 endpoint is ready behind headless Service shop/db")),
        ("db-2.db.shop.svc", "A",
         (Kind.NXDOMAIN, [], "no ready endpoint of headless Service shop/db is called db-2")),
        ("idle.shop.svc", "A", (Kind.NXDOMAIN, [], "no endpoint of headless Service shop/idle is ready")),
        ("_sql._tcp.db.shop.svc", "SRV",
         (Kind.ANSWER, ["5432 10-1-0-2.db.shop.svc.cluster.local.", "5432 db-0.db.shop.svc.cluster.local."],
          "2 endpoints are ready behind headless Service shop/db")),
        ("_sql._udp.db.shop.svc", "SRV",
         (Kind.NXDOMAIN, [], "the endpoints of headless Service shop/db have no port sql over UDP")),
        ("_https._tcp.web.shop.svc", "SRV", (Kind.NXDOMAIN, [], "Service shop/web has no port https over TCP")),
        ("loop-a.shop.svc", "A",
         (Kind.NODATA, [], "ExternalName shop/loop-a points at loop-b.shop.svc.cluster.local: no A record; "
          "loop-b.shop.svc.cluster.local.: ExternalName shop/loop-b points at loop-a.shop.svc.cluster.local")),
        ("self.shop.svc", "A",
         (Kind.NODATA, [], "ExternalName shop/self points at self.shop.svc.cluster.local: no A record; "
          "it points at itself")),
        ("gone.shop.svc", "A",
         (Kind.NODATA, [], "ExternalName shop/gone points at nobody.shop.svc.cluster.local: no A record; "
          "there is no Service nobody in namespace shop")),
        ("alias.shop.svc", "A",
         (Kind.ANSWER, ["web.shop.svc.cluster.local.", "10.0.0.1"],
          "ExternalName shop/alias points at web.shop.svc.cluster.local")),
        ("far.shop.svc", "A",
         (Kind.ELSEWHERE, ["hop.shop.svc.cluster.local.", "db.example.com."],
          "ExternalName shop/far points at hop.shop.svc.cluster.local; whoever answers for db.example.com. decides")),
        ("number.shop.svc", "A",
         (Kind.NXDOMAIN, [],
          "ExternalName shop/number points at 10.1.2.3, an address, where only a name makes a record")),
        ("nope.shop.svc", "A", (Kind.NXDOMAIN, [], "there is no Service nope in namespace shop")),
        ("shop.svc", "A",
         (Kind.NODATA, [], "namespace shop exists; it has no addresses itself: no A record")),
        ("10-2-3-4.shop.pod", "A",
         (Kind.ANSWER, ["10.2.3.4"], "the name's own address, unchecked (pods insecure)")),
        ("web.shop", "A",
         (Kind.NXDOMAIN, [], "cluster names end in svc or pod before the zone, not in shop")),
        ("a.b.c.web.shop.svc", "A", (Kind.NXDOMAIN, [], "a cluster name has no more than four labels before svc")),
    ],
)  # fmt: skip
def test_answers_and_their_reasons(name: str, type: str, answer: Any):
    kind, records, why = answer
    found = said(expect(name, type))
    assert (found[0], sorted(found[1]), found[2]) == (kind, sorted(records), why)


@pytest.mark.parametrize(
    ("name", "type", "gap"),
    [
        ("web.other.svc", "A", "api/v1/namespaces/other/services"),
        ("other.svc", "A", "api/v1/namespaces"),
        ("10-2-3-4.other.pod", "A", "api/v1/namespaces"),
    ],
)
def test_what_was_not_read_is_no_no(name: str, type: str, gap: str):
    found = expect(name, type)
    assert (found.kind, found.gap and found.gap.what, found.rcode) == (Kind.UNKNOWN, gap, "")
    assert not found.differs("NXDOMAIN", ())


def test_a_namespace_that_is_known_not_to_exist():
    namespaces = Reading((Namespace(metadata=ObjectMeta(name="shop")),), WHOLE)
    found = expect("web.other.svc", read=snapshot(namespaces=namespaces))
    assert said(found) == (Kind.NXDOMAIN, [], "there is no namespace other")


def test_slices_that_were_not_read():
    unread = snapshot(endpointslices=Reading())
    assert expect("db.shop.svc", read=unread).kind is Kind.UNKNOWN
    assert expect("web.shop.svc", read=unread).kind is Kind.ANSWER
    assert expect("web.shop.svc", read=unread, ignore_empty=True).kind is Kind.UNKNOWN
    query = f"labelSelector={SERVICE_NAME_LABEL}=db"
    selected = snapshot(endpointslices=Reading(SLICES, frozenset(), frozenset({("shop", query)})))
    assert expect("db.shop.svc", read=selected).kind is Kind.ANSWER


@pytest.mark.parametrize(
    ("options", "name", "records"),
    [
        ({"namespaces": ("billing",)}, "web.shop.svc", []),
        ({"labels": parse_selector("app=web")}, "web.shop.svc", []),
        ({"endpoints": False}, "db.shop.svc", []),
        ({"pod_names": True}, "pod-2.db.shop.svc", ["10.1.0.2"]),
        ({"terminating": True}, "db.shop.svc", ["10.1.0.1", "10.1.0.2", "10.1.0.4"]),
        ({"ignore_empty": True}, "web.shop.svc", ["10.0.0.1"]),
        ({"pods": "verified"}, "10-2-3-4.shop.pod", []),
    ],
)
def test_options(options: Any, name: str, records: list[str]):
    found = expect(name, **options)
    assert [record.data for record in found.records] == records
    assert found.kind is (Kind.ANSWER if records else Kind.NXDOMAIN)


def test_options_that_need_more_than_was_read():
    assert expect("web.shop.svc", namespace_labels=parse_selector("team=a")).kind is Kind.UNKNOWN
    assert expect("web.shop.svc", multicluster=("cluster.local.",)).kind is Kind.UNKNOWN
    assert expect("a._zone.web.shop.svc", zonal=True).kind is Kind.UNKNOWN


def test_reverse_names():
    whole = snapshot(services=Reading(SERVICES, WHOLE), endpointslices=Reading(SLICES, WHOLE))

    def reverse(address: str, read: Snapshot) -> tuple[Kind, list[str], bool]:
        found = ClusterRecords(read, MANIFEST).expect(names.reverse(address), "PTR")
        return found.kind, [record.data for record in found.records], found.exact

    assert reverse("10.0.0.1", snapshot()) == (Kind.ANSWER, ["web.shop.svc.cluster.local."], True)
    assert reverse("10.1.0.1", snapshot()) == (Kind.ANSWER, ["db-0.db.shop.svc.cluster.local."], False)
    assert reverse("10.1.0.1", whole) == (Kind.ANSWER, ["db-0.db.shop.svc.cluster.local."], True)
    assert reverse("10.9.9.9", snapshot())[0] is Kind.UNKNOWN
    assert reverse("10.9.9.9", whole)[0] is Kind.ELSEWHERE  # fallthrough
    assert reverse("fd00::1", whole)[0] is Kind.ELSEWHERE


# ------------------------------------------------------------------------------------------------------------ comparing


def test_differences():
    db = expect("db.shop.svc")
    record = {
        address: Record("DB.shop.svc.cluster.local.", "A", address) for address in ("10.1.0.1", "10.1.0.2", "9.9.9.9")
    }
    assert db.differs("NOERROR", (record["10.1.0.2"], record["10.1.0.1"])) == ""
    assert db.differs("NXDOMAIN", ()) == "NXDOMAIN instead of NOERROR"
    assert db.differs("NOERROR", (record["10.1.0.1"],)) == "without 10.1.0.2"
    assert db.differs("NOERROR", tuple(record.values())) == "with 9.9.9.9, which nothing stands behind"
    assert db.differs("NOERROR", (record["9.9.9.9"],)) == "without 10.1.0.1, 10.1.0.2, but with 9.9.9.9"
    assert expect("hop.shop.svc").differs("NOERROR", ()) == "without db.example.com."


# ----------------------------------------------------------------------------------------------------------- properties

LABEL = st.sampled_from(("web", "db", "shop", "svc", "pod", "_sql", "_tcp", "db-0", "10-1-0-1", "*", "cluster", "WEB"))
NAMES = st.lists(LABEL | st.text(max_size=5), max_size=7).map(".".join)
TYPES = st.sampled_from(["A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "SOA", "NS", "MX", "ANY"])


@given(NAMES, TYPES)
def test_any_question_has_an_answer(name: str, type: str):
    found = expect(name, type)
    assert found.why
    assert bool(found.records) <= (found.kind in (Kind.ANSWER, Kind.ELSEWHERE))
    assert bool(found.zone) == (found.kind in (Kind.NODATA, Kind.NXDOMAIN))
    assert not found.differs(found.rcode, found.records)
    assert expect(name.lower(), type).kind is found.kind


@given(st.ip_addresses())
def test_reverse_names_lead_back(address: IPv4Address | IPv6Address):
    name = names.reverse(str(address))
    assert names.reversed_address(name) == str(address)
    assert names.reversed_address(name.split(".", 1)[1]) == ""


@given(st.lists(st.tuples(st.ip_addresses(v=4), st.sampled_from([True, False, None])), unique_by=lambda pair: pair[0]))
def test_a_headless_service_has_its_ready_endpoints(pairs: Any):
    slices = (endpoint_slice("shop", "db", [endpoint(str(ip), ready) for ip, ready in pairs], []),)
    found = expect("db.shop.svc", read=snapshot(endpointslices=Reading(slices, SHOP)))
    ready = {str(ip) for ip, ready in pairs if ready is not False}
    assert {record.data for record in found.records} == ready
    assert found.kind is (Kind.ANSWER if ready else Kind.NXDOMAIN)
