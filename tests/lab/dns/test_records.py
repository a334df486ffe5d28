"""The tables: CoreDNS's own cases, and what real clusters answered, both over real sockets."""

import json
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest

from .world import NOW, Json, Objects, lines, name_server, over, port, service, serving

HERE = Path(__file__).parent
TABLE = json.loads((HERE / "dns_records.json").read_text())["coredns"]
RECORDED = json.loads((HERE / "recorded_answers.json").read_text())
CASES = [(group, case) for group in TABLE["groups"] for case in group["cases"]]
TRANSPORTS = ["udp", "tcp"]
NAMESPACES = ("testns", "unexposedns", "kube-system", "podns", "svcns")


def table_cluster() -> Objects:
    services = [_service(given) for given in TABLE["services"]]
    slices = [_slice(given) for given in TABLE["endpoints"]]
    pod = {"metadata": {"name": "foo", "namespace": "podns"}, "status": {"podIP": "10.240.0.1", "phase": "Running"}}
    return Objects(services, slices, {name: {} for name in NAMESPACES}, [pod])


def _service(given: Json) -> Json:
    spec = {field: given[field] for field in ("type", "clusterIPs", "externalName", "ports") if field in given}
    return {"metadata": {"name": given["name"], "namespace": given["namespace"]}, "spec": spec}


def _slice(given: Json) -> Json:
    endpoints = [
        {"addresses": [address["ip"]], "conditions": {"ready": True}}
        | ({"hostname": address["hostname"]} if "hostname" in address else {})
        for address in given["addresses"]
    ]
    labels = {"kubernetes.io/service-name": given["service"]}
    meta = {"name": given["service"], "namespace": given["namespace"], "labels": labels}
    return {"metadata": meta, "ports": given["ports"], "endpoints": endpoints}


def whole_corefile(stanza: str) -> str:
    """The table writes a stanza in one line, which a Corefile cannot."""
    head, _, rest = stanza.partition(" {")
    option = rest.rstrip("} ").strip()
    body = f"{head} {{\n        {option}\n    }}" if option else head
    return f".:53 {{\n    {body}\n    forward . 192.0.2.53\n}}\n"


def expected(texts: list[str]) -> list[str]:
    """In the form of `lines`, but without TTLs."""
    return sorted(_without_ttl(text) for text in texts)


def _without_ttl(text: str) -> str:
    owner, _, _, kind, *data = text.split()
    if kind == "SOA":
        data[2:] = ["serial", *data[3:6], "minimum"]
    if kind == "TXT":
        data = [f'"{word}"' for word in data]
    return " ".join([owner if owner.endswith(".") else owner + ".", kind, *data])


def got(section: Any) -> list[str]:
    return sorted(" ".join([line.split(" ")[0], *line.split(" ")[2:]]) for line in lines(section))


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("group", "case"), CASES, ids=[f"{case['qname']}{case['qtype']}" for _, case in CASES])
def test_coredns_own_case(group: Json, case: Json, transport: str) -> None:
    """Names in the case they were asked in, too: comparison here is by bytes."""
    unsynced = group["name"] == "notSyncedTestCases"
    server = name_server(
        table_cluster(), whole_corefile(group["corefile"]), upstream={"ext.interwebs.test": ["A 1.2.3.4"]}
    )
    server.behaviour = type(server.behaviour)(unsynced=unsynced)
    query = dns.message.make_query(case["qname"], case["qtype"])
    message = serving(server, lambda served: over(transport, served, query))
    assert dns.rcode.to_text(message.rcode()) == case["rcode"]
    assert got(message.answer) == expected(case["answer"])
    assert got(message.authority) == expected(case["authority"])
    assert got(message.additional) == expected(case["additional"])
    assert message.flags & dns.flags.AA
    assert all(rrset.ttl <= 28800 for rrset in message.answer)


ANSWERS = [(where, answer) for where, held in RECORDED.items() for answer in held["answers"]]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("where", "real"), ANSWERS, ids=[f"{where}-{a['name']}-{a['type']}" for where, a in ANSWERS])
def test_a_real_cluster_answered_alike(where: str, real: Json, transport: str) -> None:
    held = RECORDED[where]
    known = service("kubernetes", "10.96.0.1", namespace="default", ports=[port("https", 443)])
    namespaces = {one["metadata"]["name"]: one["metadata"].get("labels", {}) for one in held["namespaces"]}
    server = name_server(Objects([*held["services"], known], held["slices"], namespaces), held["corefile"])
    query = dns.message.make_query(real["name"], real["type"])
    message = serving(server, lambda served: over(transport, served, query))
    assert dns.rcode.to_text(message.rcode()) == real["rcode"]
    assert dns.flags.to_text(message.flags).lower().split() == real["flags"]
    assert got(message.answer) == sorted(f"{one['name']} {one['type']} {one['data']}" for one in real["answers"])
    assert all(rrset.ttl == 30 for rrset in message.answer)


def test_the_serial_is_a_moment() -> None:
    assert name_server(table_cluster()).serial == int(NOW.timestamp())
