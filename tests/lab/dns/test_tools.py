"""The client's side: glibc's walk over the search list, and what its tools print of it."""

from collections.abc import Callable

import dns.message
import pytest
from dns.message import Message

from svcdoctor.lab.dns import Behaviour, NameServer, lookup
from svcdoctor.lab.dns.dns_tools import Printed, dig_short, getent_hosts, nslookup
from svcdoctor.lab.dns.search import Ask, candidates, read

from .world import COREFILE, Objects, external, name_server, service

CONF = "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
WEB = "web.shop.svc.cluster.local"
CLUSTER = Objects(
    [service("web", "10.96.0.20", "fd00:10:96::20"), service("old", "10.96.0.21"), external("out", "www.example.com")]
)
HEAD = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n"


def asking(server: NameServer, *refusing: str) -> Ask:
    """The pod's network: one server, behind every address but the ``refusing`` ones."""

    def ask(address: str, name: str, rdtype: str) -> Message | None:
        if address in refusing:
            raise ConnectionRefusedError
        return server.answer(dns.message.make_query(name, rdtype), "udp")

    return ask


def walk(name: str, conf: str = CONF, ask: Ask | None = None, rdtype: str = "A") -> list[tuple[str, str]]:
    steps = lookup(conf, name, ask or asking(name_server(CLUSTER)), rdtype).steps
    return [(step.name, step.outcome) for step in steps]


@pytest.mark.parametrize(
    ("name", "ndots", "tried"),
    [
        ("web", 5, ["web.a.", "web.b.", "web."]),
        ("x.y", 1, ["x.y.", "x.y.a.", "x.y.b."]),
        ("x.y", 2, ["x.y.a.", "x.y.b.", "x.y."]),
        ("web.", 5, ["web."]),
    ],
)
def test_the_candidates(name: str, ndots: int, tried: list[str]) -> None:
    assert list(candidates(read(f"search a b.\noptions ndots:{ndots}"), name)) == tried


def test_what_is_read_of_a_file() -> None:
    conf = read(
        "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\noptions rotate ndots:99\n"
    )
    assert conf.servers == ("1.1.1.1", "1.1.1.2", "1.1.1.3")
    assert conf.ndots == 15
    assert read("").servers == ("127.0.0.1",)
    assert read("search .\nnameserver 127.0.0.1").searches == (".",)


def test_the_walk() -> None:
    assert walk("web") == [(f"{WEB}.", "found")]
    assert walk("web.shop") == [("web.shop.shop.svc.cluster.local.", "nxdomain"), (f"{WEB}.", "found")]
    assert [outcome for _, outcome in walk(WEB)] == ["nxdomain", "nxdomain", "nxdomain", "found"]
    assert [outcome for _, outcome in walk("nowhere")] == ["nxdomain"] * 4
    assert walk("old", rdtype="AAAA")[0] == ("old.shop.svc.cluster.local.", "nodata")
    assert walk(WEB, "search .\nnameserver 10.96.0.10\n") == [(f"{WEB}.", "found")]


def test_a_wildcard_in_a_search_domain_answers_first() -> None:
    conf = "search wild.example\nnameserver 10.96.0.10\noptions ndots:5\n"
    assert lookup(conf, WEB, asking(name_server(CLUSTER))).data == ("203.0.113.9",)
    assert lookup(conf, f"{WEB}.", asking(name_server(CLUSTER))).data == ("10.96.0.20",)


def test_silence_ends_the_walk_and_failures_do_not() -> None:
    silent = asking(name_server(CLUSTER, behaviour=Behaviour(silent=frozenset(["udp"]))))
    assert walk("web", ask=silent) == [(f"{WEB}.", "timeout")]
    assert [
        outcome for _, outcome in walk("web", ask=asking(name_server(CLUSTER, behaviour=Behaviour(unsynced=True))))
    ] == ["servfail"] * 3 + ["nxdomain"]
    refused = asking(name_server(CLUSTER, behaviour=Behaviour(in_flight=1000)))
    assert walk("example.com", ask=refused)[-1] == ("example.com.", "refused")


def test_the_next_server_is_asked_where_one_does_not_answer() -> None:
    two = CONF.replace("nameserver 10.96.0.10", "nameserver 10.0.0.9\nnameserver 10.96.0.10")
    assert lookup(two, "web", asking(name_server(CLUSTER), "10.0.0.9")).last.server == "10.96.0.10"
    assert walk("web", two, asking(name_server(CLUSTER), "10.0.0.9", "10.96.0.10")) == [(f"{WEB}.", "unreachable")]


def test_an_answer_of_another_owner_does_not_count() -> None:
    renamed = "rewrite name old.example web.shop.svc.cluster.local\n    errors"
    server = name_server(CLUSTER, COREFILE.replace("errors", renamed))
    assert walk("old.example.", ask=asking(server)) == [("old.example.", "nodata")]


GETENT: list[tuple[str, Printed]] = [
    ("web", (f"fd00:10:96::20  {WEB}\n", 0)),
    ("old", ("10.96.0.21      old.shop.svc.cluster.local\n", 0)),
    ("out", ("2606:2800:220:1::1 example.com out.shop.svc.cluster.local www.example.com\n", 0)),
    ("nowhere", ("", 2)),
]
NSLOOKUP: list[tuple[str, Printed]] = [
    ("web", (f"{HEAD}Name:\t{WEB}\nAddress: 10.96.0.20\nName:\t{WEB}\nAddress: fd00:10:96::20\n\n", 0)),
    (
        "out",
        (
            f"{HEAD}out.shop.svc.cluster.local\tcanonical name = www.example.com.\n"
            "www.example.com\tcanonical name = example.com.\n"
            "Name:\texample.com\nAddress: 93.184.216.34\nName:\texample.com\nAddress: 2606:2800:220:1::1\n\n",
            0,
        ),
    ),
    ("nowhere", (f"{HEAD}** server can't find nowhere: NXDOMAIN\n\n", 1)),
    ("svc.cluster.local.", (f"{HEAD}*** Can't find svc.cluster.local.: No answer\n\n", 1)),
    ("10.96.0.20", (f"20.0.96.10.in-addr.arpa\tname = {WEB}.\n\n", 0)),
    ("10.96.0.99", ("** server can't find 99.0.96.10.in-addr.arpa: NXDOMAIN\n\n", 1)),
]


@pytest.mark.parametrize(("name", "printed"), GETENT)
def test_getent_hosts(name: str, printed: Printed) -> None:
    assert getent_hosts(CONF, name, asking(name_server(CLUSTER))) == printed


@pytest.mark.parametrize(("name", "printed"), NSLOOKUP)
def test_nslookup(name: str, printed: Printed) -> None:
    assert nslookup(CONF, name, asking(name_server(CLUSTER))) == printed


def test_dig_short() -> None:
    ask = asking(name_server(CLUSTER))
    assert dig_short(CONF, f"_http._tcp.{WEB}", "SRV", ask) == (f"0 50 80 {WEB}.\n", 0)
    assert dig_short(CONF, "www.example.com", "A", ask) == ("example.com.\n93.184.216.34\n", 0)
    assert dig_short(CONF, "web", "A", ask) == ("", 0)


SILENT = Behaviour(silent=frozenset(["udp"]))
TIMED_OUT = ";; communications error to 10.96.0.10#53: timed out\n" * 3 + ";; no servers could be reached\n"


@pytest.mark.parametrize(
    ("tool", "printed"),
    [
        (lambda ask: getent_hosts(CONF, "web", ask), ("", 2)),
        (lambda ask: nslookup(CONF, "web", ask), (f"{TIMED_OUT}\n\n", 1)),
        (lambda ask: dig_short(CONF, WEB, "A", ask), (TIMED_OUT, 9)),
    ],
)
def test_nobody_answers(tool: Callable[[Ask], Printed], printed: Printed) -> None:
    assert tool(asking(name_server(CLUSTER, behaviour=SILENT))) == printed
    text, code = tool(asking(name_server(CLUSTER), "10.96.0.10"))
    assert (text, code) == (printed[0].replace("timed out", "connection refused"), printed[1])


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 70, "ü.example", "-", "a" * 300])
def test_odd_names_are_not_found(name: str) -> None:
    assert getent_hosts(CONF, name, asking(name_server(CLUSTER))) == ("", 2)
    assert nslookup(CONF, name, asking(name_server(CLUSTER)))[1] == 1
    assert dig_short(CONF, name, "A", asking(name_server(CLUSTER)))[1] in (0, 10)
