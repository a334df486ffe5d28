"""Every way to be unwell, seen over the wire, and gone when it is taken back."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import pytest
from dns.message import Message

from svcdoctor.lab.dns import HEALTHY, Behaviour, Serving, log_lines

from .world import COREFILE, NOW, Objects, answers, ask, endpoint, lines, name_server, over, piece, service, serving

WEB = "web.shop.svc.cluster.local."
CLUSTER = Objects([service("web", "10.96.0.20"), service("db", "None")], [piece("db", endpoint("10.244.1.5"))])
SHORT = 0.05
"""How long a test waits for what must never come."""


def unwell(behaviour: Behaviour, name: str = WEB, transport: str = "udp", rdtype: str = "A") -> Message:
    """The answer while it is unwell; then it is healed in place, and must answer as ever."""
    server = name_server(CLUSTER, behaviour=behaviour)

    async def scenario(served: Serving) -> Message:
        query = dns.message.make_query(name, rdtype)
        got = await over(transport, served, query)
        server.behaviour = HEALTHY
        assert answers(await over(transport, served, dns.message.make_query(WEB, "A")))[1] == [f"{WEB} A 10.96.0.20"]
        return got

    return serving(server, scenario)


@pytest.mark.parametrize(("silent", "other"), [("udp", "tcp"), ("tcp", "udp")])
def test_silence_over_one_transport(silent: str, other: str) -> None:
    server = name_server(CLUSTER, behaviour=Behaviour(silent=frozenset([silent])))  # type: ignore[list-item]

    async def scenario(served: Serving) -> Message:
        with pytest.raises(dns.exception.Timeout):
            await over(silent, served, dns.message.make_query(WEB, "A"), timeout=SHORT)
        return await over(other, served, dns.message.make_query(WEB, "A"))

    assert answers(serving(server, scenario))[0] == "NOERROR"


@pytest.mark.parametrize("behaviour", [Behaviour(refuse_tcp=True), Behaviour(loop=True)])
def test_tcp_is_reset(behaviour: Behaviour) -> None:
    async def scenario(served: Serving) -> None:
        with pytest.raises((ConnectionError, EOFError)):
            await over("tcp", served, dns.message.make_query(WEB, "A"))

    serving(name_server(CLUSTER, behaviour=behaviour), scenario)


def test_a_crashed_server_is_silent_over_udp() -> None:
    async def scenario(served: Serving) -> None:
        with pytest.raises(dns.exception.Timeout):
            await over("udp", served, dns.message.make_query(WEB, "A"), timeout=SHORT)

    serving(name_server(CLUSTER, behaviour=Behaviour(loop=True)), scenario)


def test_udp_is_always_truncated_and_tcp_is_whole() -> None:
    cut = unwell(Behaviour(truncate=True))
    assert cut.flags & dns.flags.TC
    assert answers(cut) == ("NOERROR", [])
    assert answers(unwell(Behaviour(truncate=True), transport="tcp"))[1] == [f"{WEB} A 10.96.0.20"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_delay(transport: str) -> None:
    server = name_server(CLUSTER, behaviour=Behaviour(delay=0.05))

    async def scenario(served: Serving) -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.gather(*(over(transport, served, dns.message.make_query(WEB, "A")) for _ in range(3)))
        return loop.time() - begun

    assert 0.05 <= serving(server, scenario) < 2


CHANGED = [
    (Behaviour(unsynced=True), WEB, "A", "SERVFAIL", []),
    (Behaviour(unsynced=True), "example.com.", "A", "NOERROR", ["example.com. A 93.184.216.34"]),
    (Behaviour(endpoints="hidden"), "db.shop.svc.cluster.local.", "A", "NXDOMAIN", []),
    (Behaviour(endpoints="unsynced"), "db.shop.svc.cluster.local.", "A", "SERVFAIL", []),
    (Behaviour(endpoints="unsynced"), WEB, "A", "NOERROR", [f"{WEB} A 10.96.0.20"]),
    (Behaviour(lies={WEB: "198.51.100.1"}), WEB, "A", "NOERROR", [f"{WEB} A 198.51.100.1"]),
    (Behaviour(lies={WEB.upper().lower(): "198.51.100.1"}), WEB, "AAAA", "NOERROR", []),
    (Behaviour(lies={"web.shop.svc.cluster.local": "fd00::1"}), WEB, "AAAA", "NOERROR", [f"{WEB} AAAA fd00::1"]),
    (Behaviour(denied={WEB: NOW + timedelta(seconds=20)}), WEB, "A", "NXDOMAIN", []),
    (Behaviour(denied={WEB: NOW}), WEB, "A", "NOERROR", [f"{WEB} A 10.96.0.20"]),
    (Behaviour(dead_upstreams=frozenset(["/etc/resolv.conf"])), "example.com.", "A", "SERVFAIL", []),
    (
        Behaviour(dead_upstreams=frozenset(["192.0.2.53"])),
        "example.com.",
        "A",
        "NOERROR",
        ["example.com. A 93.184.216.34"],
    ),
    (Behaviour(in_flight=1000), "example.com.", "A", "REFUSED", []),
    (Behaviour(in_flight=999), "example.com.", "A", "NOERROR", ["example.com. A 93.184.216.34"]),
    (Behaviour(in_flight=1000), WEB, "A", "NOERROR", [f"{WEB} A 10.96.0.20"]),
]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(("behaviour", "name", "rdtype", "rcode", "answer"), CHANGED)
def test_another_answer(
    behaviour: Behaviour, name: str, rdtype: str, rcode: str, answer: list[str], transport: str
) -> None:
    assert answers(unwell(behaviour, name, transport, rdtype)) == (rcode, answer)


def test_a_cached_denial_lasts_as_long_as_its_soa_says() -> None:
    message = unwell(Behaviour(denied={WEB: NOW + timedelta(seconds=20)}))
    soa = "cluster.local. 20 SOA ns.dns.cluster.local. hostmaster.cluster.local. serial 7200 1800 86400 minimum"
    assert lines(message.authority) == [soa]


def test_a_dead_upstream_keeps_the_client_waiting() -> None:
    behaviour = Behaviour(dead_upstreams=frozenset(["/etc/resolv.conf"]), upstream_seconds=0.05)
    loop_time: list[float] = []

    async def scenario(served: Serving) -> Message:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        got = await over("udp", served, dns.message.make_query("example.com", "A"))
        loop_time.append(loop.time() - begun)
        return got

    assert serving(name_server(CLUSTER, behaviour=behaviour), scenario).rcode() == dns.rcode.SERVFAIL
    assert 0.05 <= loop_time[0] < 2


def test_the_corefile_changes_under_way() -> None:
    server = name_server(CLUSTER)

    async def scenario(served: Serving) -> list[str]:
        before = await over("udp", served, dns.message.make_query(WEB, "A"))
        server.corefile = COREFILE.replace("cluster.local", "cluster.example")
        after = await over("udp", served, dns.message.make_query(WEB, "A"))
        return [answers(message)[0] for message in (before, after)]

    assert serving(server, scenario) == ["NOERROR", "NXDOMAIN"]


def test_a_healthy_server_answers() -> None:
    assert answers(ask(name_server(CLUSTER), WEB)) == ("NOERROR", [f"{WEB} A 10.96.0.20"])


# ---------------------------------------------------------------------------------------------------------------- logs

START = ["CoreDNS-1.14.2", "linux/amd64, go1.25.5, 1abcdef"]
SIGNS: list[tuple[Behaviour, str, Callable[[str], bool]]] = [
    (Behaviour(loop=True), "[FATAL] plugin/loop: Loop (", lambda line: line.endswith('."') and '"HINFO ' in line),
    (Behaviour(endpoints="hidden"), "endpointslices.discovery.k8s.io is forbidden", lambda line: "coredns" in line),
    (
        Behaviour(dead_upstreams=frozenset(["/etc/resolv.conf"])),
        "i/o timeout",
        lambda line: line.startswith("[ERROR] plugin/errors: 2 "),
    ),
    (Behaviour(unsynced=True), 'Plugins not ready: "kubernetes"', lambda line: line.startswith("[INFO] plugin/ready")),
    (Behaviour(endpoints="unsynced"), "starting server with unsynced Kubernetes API", lambda line: "WARNING" in line),
    (Behaviour(in_flight=1000), "concurrent queries exceeded maximum 1000", lambda line: "plugin/errors: 5 " in line),
]


@pytest.mark.parametrize(("behaviour", "sign", "whole"), SIGNS)
def test_the_log_shows_it(behaviour: Behaviour, sign: str, whole: Callable[[str], bool]) -> None:
    told = [line for line in log_lines(COREFILE, behaviour, NOW) if sign in line]
    assert told
    assert all(map(whole, told))
    assert not [line for line in log_lines(COREFILE, HEALTHY, NOW) if sign in line]


def test_a_healthy_log_is_its_start() -> None:
    told = log_lines(COREFILE, HEALTHY, NOW)
    assert told[0] == ".:53"
    assert told[1].startswith("[INFO] plugin/reload: Running configuration SHA512 = ")
    assert told[2:] == START
    assert log_lines(COREFILE, HEALTHY, NOW + timedelta(days=1)) == told


def test_without_the_errors_plugin_nothing_is_said_of_a_dead_upstream() -> None:
    dead = Behaviour(dead_upstreams=frozenset(["/etc/resolv.conf"]))
    quiet = COREFILE.replace("    errors\n", "")
    assert not [line for line in log_lines(quiet, dead, NOW) if "i/o timeout" in line]


def test_the_log_of_a_corefile_that_is_broken() -> None:
    problem = "Corefile:2 - Error during parsing: Unknown directive 'kubernets'"
    assert log_lines(".:53 {\n kubernets\n}", HEALTHY, NOW) == [
        "[INFO] Reloading",
        f"[ERROR] Restart failed: {problem}",
        f"[ERROR] plugin/reload: Corefile changed but reload failed: {problem}",
    ]
