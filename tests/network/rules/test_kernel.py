"""Where real packets go is what the walk says, on the dumps that the kernel prints back.

In network namespaces that each test makes for itself, so it needs root, iptables and nft; elsewhere it is skipped.
"""

import json
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from svcdoctor.lab.proxy import node_files
from svcdoctor.network import iptables, nftables
from svcdoctor.network.packet import Host, Kind, Origin, Outcome, Packet, Route
from svcdoctor.network.ruleset import combine
from svcdoctor.network.walk import Walker
from tests.lab.proxy.test_real_tools import loadable
from tests.lab.proxy.worlds import CONFIG, NODE, RICH
from tests.network.rules import kernel

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TOOLS = ("unshare", "ip", "sysctl", "mount", "iptables-restore", "iptables-save", "nft")
START = ["unshare", "--net", "--mount", sys.executable, str(Path(kernel.__file__))]
PATIENCE, SHORT = 5.0, 0.3
"""Seconds to wait for an answer that the walk promises, and for one that it says will not come."""
TRIES = 60
SURE = 0.2
"""An end with at least this share is met in so many tries, but for one time in 600,000."""


class Lab:
    """The namespaces, and what is asked of them."""

    def __init__(self):
        self.process = subprocess.Popen(
            START, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.writes: Any = self.process.stdin
        self.reads: Any = self.process.stdout
        self.errors: Any = self.process.stderr
        self.made = self._answer()

    def _answer(self):
        line = self.reads.readline()
        return json.loads(line) if line else {"code": 1, "stderr": self.errors.read()}

    def ask(self, **asked):
        self.writes.write(json.dumps(asked) + "\n")
        self.writes.flush()
        return self._answer()

    def run(self, script, **texts):
        ran = self.ask(run=script, **{"with": texts})
        assert ran["code"] == 0, ran["stderr"]
        return ran["stdout"]

    def close(self):
        self.writes.close()
        self.process.wait(timeout=30)
        self.reads.close()
        self.errors.close()


def missing():
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if absent:
        return f"not installed: {', '.join(absent)}"
    made = subprocess.run(["unshare", "--net", "--mount", "nft", "list", "tables"], capture_output=True, check=False)
    return "" if made.returncode == 0 else "no network namespace with nft may be made here"


pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=reason or "everything is there")


@pytest.fixture(scope="module")
def lab():
    made = Lab()
    if made.made["code"]:
        pytest.skip(f"the namespaces could not be made: {made.made['stderr']}")
    yield made
    made.close()


FLUSH = "iptables-restore < /dev/null; for t in filter nat mangle raw; do iptables -t $t -F; iptables -t $t -X; done; "
FLUSH += "for c in INPUT FORWARD OUTPUT; do iptables -P $c ACCEPT; done; nft flush ruleset; "
FLUSH += "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1; "
FLUSH += "ip route replace default via 172.30.0.254; "
SHOW = "iptables-save; echo ===; nft -j list ruleset; echo ===; ip -j route; echo ===; ip -j addr; echo ===; "
SHOW += "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/all/route_localnet"


def load(lab, mode, extra=""):
    """A walker over what the kernel holds once it took a node's rules and then ``extra``."""
    files = node_files(*RICH, NODE, replace(CONFIG, mode=mode, nfacct=False), AT)
    texts = {"V4": files["iptables-save.txt"]}
    script = f'{FLUSH} printf %s "$V4" | iptables-restore'
    if mode == "nftables":
        texts["NFT"] = loadable(files["nft-ip-kube-proxy.json"])
        script += ' && printf %s "$NFT" | nft -j -f -'
    saved, listed, routes, addresses, sysctls = lab.run(f"{script} && {extra or ':'} && {SHOW}", **texts).split("===\n")
    forwarding, route_localnet = sysctls.split()
    host = Host(
        frozenset(info["local"] for link in json.loads(addresses) for info in link["addr_info"]),
        tuple(Route("0.0.0.0/0" if one["dst"] == "default" else one["dst"], one["dev"]) for one in json.loads(routes)),
        forwarding=forwarding == "1",
        route_localnet=route_localnet == "1",
    )
    return Walker(combine([iptables.read(saved), nftables.read(listed)]), host)


def flow(of, to, port, protocol="tcp", source=""):
    """A client (pod2, node, out), and where it sends to."""
    own = {"node": "127.0.0.1" if to.startswith("127.") else "172.30.0.11", "out": "203.0.113.5", **kernel.PODS}[of]
    return {"of": of, "source": source or own, "to": to, "port": port, "protocol": protocol}


def packet(one):
    origin = {"node": Origin.NODE, "out": Origin.OUTSIDE}.get(one["of"], Origin.POD)
    return Packet(one["source"], one["to"], one["port"], one["protocol"], origin)


def seen(outcome: Outcome, one) -> str:
    """What the client sees of an end."""
    if outcome.kind in (Kind.REJECT, Kind.LOCAL):  # nothing listens on the node itself
        return "refused"
    if outcome.kind is Kind.UNREACHABLE:  # not told to a client without a route, nor to TCP once it has sent
        lost = one["of"] == "out" or (one["of"] == "node" and outcome.address != one["to"])
        return "timeout" if lost else "unreachable"
    if outcome.kind is not Kind.ENDPOINT:
        return "timeout"
    place = f"{outcome.address}:{outcome.port}"
    if outcome.masqueraded:
        return f"{place} {'169.254.1.1' if outcome.address.startswith('10.244.1.') else '172.30.0.11'}"
    remote_client = one["of"] == "out" and outcome.address.startswith("10.244.2.")
    if outcome.address == one["source"] or remote_client or one["source"].startswith("127."):
        return "timeout"  # the answer does not come back the way of the question
    return f"{place} {one['source']}"


def check(lab, walker, flows, sticky=(), strict=True):
    """Every try ends as the walk says it may, and every likely end is met; what it does not know is not asked."""
    asked, due = [], []
    for one in flows:
        walk = walker.walk(packet(one))
        if not strict and walk.share(Kind.UNKNOWN):
            continue
        ends: dict[str, Fraction] = {}
        for outcome in walk.outcomes:
            assert outcome.kind is not Kind.UNKNOWN, (one, outcome.why)
            ends[seen(outcome, one)] = ends.get(seen(outcome, one), Fraction()) + outcome.share
        tries = 2 if len(ends) == 1 else TRIES
        asked.append(
            {**one, "tries": tries, "patience": SHORT if ends.keys() & {"timeout", "unreachable"} else PATIENCE}
        )
        due.append(ends)
    for one, ends, results in zip(asked, due, lab.ask(flows=asked)["results"], strict=True):
        found = set(results) - ({"timeout"} if "unreachable" in ends else set())  # which the kernel says only so often
        assert found <= set(ends), (one, ends)
        if one["to"] not in sticky:
            assert {end for end, share in ends.items() if share >= SURE and end != "unreachable"} <= found, (one, ends)


STICKY = ("10.96.0.22", "10.96.0.24")
CLUSTER_IPS = [f"10.96.0.{last}" for last in (20, 21, 22, 23, 24, 25, 26, 99)]
ALL_FLOWS = [
    *(flow(of, ip, 80) for of in ("pod2", "pod3", "node", "out") for ip in CLUSTER_IPS),
    *(flow(of, "172.30.0.11", port) for of in ("pod2", "node", "out") for port in (30080, 30081, 30082, 30083, 30999)),
    *(flow(of, ip, 80) for of in ("pod2", "node", "out") for ip in ("192.0.2.80", "192.0.2.82", "198.51.100.7")),
    flow("out", "192.0.2.80", 80, source="198.18.0.9"),
    flow("node", "127.0.0.1", 30080),
    flow("pod2", "10.96.0.20", 81),
    flow("pod2", "10.96.0.24", 53, "udp"),
    flow("out", "172.30.0.11", 30053, "udp"),
    flow("node", "10.96.0.1", 443),
]
STICKY_EVERYWHERE = (*STICKY, "172.30.0.11", "192.0.2.80", "198.51.100.7")


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_services_of_all_kinds(lab, mode):
    check(lab, load(lab, mode), ALL_FLOWS, STICKY_EVERYWHERE)


FOUR = [
    flow("pod2", "10.96.0.20", 80),
    flow("pod3", "10.96.0.22", 80),
    flow("node", "10.96.0.20", 80),
    flow("out", "172.30.0.11", 30080),
    flow("pod2", "10.96.0.21", 80),
    flow("node", "127.0.0.1", 30080),
]
CONDITIONS = {
    "forward-policy-drop": "iptables -P FORWARD DROP",
    "ip-forward-0": "sysctl -qw net.ipv4.ip_forward=0",
    "no-route": "ip route del default",
    "masquerade-removed": "{ iptables -t nat -F KUBE-POSTROUTING || nft flush chain ip kube-proxy masquerading; }",
    "foreign-drop": "iptables -I FORWARD -d 10.244.1.2 -m conntrack --ctstate NEW -j DROP; "
    "iptables -I FORWARD -d 10.244.2.0/24 -j DROP",
    "foreign-accept": "iptables -t nat -I PREROUTING -d 10.96.0.20/32 -j ACCEPT",
    "foreign-nft": "nft 'add table ip f; add chain ip f c { type filter hook prerouting priority -105; }; "
    "add rule ip f c ip daddr 10.96.0.20 drop'",
    "route-localnet-0": "sysctl -qw net.ipv4.conf.all.route_localnet=0",
    "foreign-notrack": "iptables -t raw -I PREROUTING -d 10.96.0.20/32 -j CT --notrack",
    "foreign-mark": "iptables -t mangle -I PREROUTING -j MARK --set-xmark 0x4000/0x4000",
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_conditions(lab, mode, condition):
    check(lab, load(lab, mode, CONDITIONS[condition]), FOUR, STICKY_EVERYWHERE)


MATCHES = [
    "-s 10.244.1.2/32", "! -s 10.244.0.0/16", "-d 10.244.2.2/32", "-p tcp -m tcp --dport 8080", "-p udp", "-i vpod2",
    "! -i eth0", "-i vpod+", "-m conntrack --ctstate NEW", "-m conntrack --ctstate DNAT",
    "-m mark --mark 0x4000/0x4000",
    "-p tcp -m multiport --dports 80,8080", "-m addrtype --dst-type LOCAL", "-m addrtype ! --src-type LOCAL",
    "-m statistic --mode random --probability 0.5", "-d 10.96.0.20/32", "-m conntrack --ctorigdst 10.96.0.20", "",
    "-p tcp -m tcp --tcp-flags SYN,ACK SYN", "-m iprange --src-range 10.244.1.3-10.244.1.9",
]  # fmt: skip
TARGETS = {
    "raw": ["ACCEPT", "RETURN", "DROP"],
    "mangle": ["MARK --set-xmark 0x4000/0x4000", "MARK --and-mark 0xffffbfff", "ACCEPT", "DROP"],
    "nat": ["ACCEPT", "RETURN", "FOREIGN"],
    "filter": ["ACCEPT", "DROP", "RETURN", "REJECT", "REJECT --reject-with tcp-reset"],
}
CHAINS = {
    "raw": ["PREROUTING", "OUTPUT"],
    "mangle": ["PREROUTING", "FORWARD", "OUTPUT", "POSTROUTING"],
    "nat": ["PREROUTING", "OUTPUT", "POSTROUTING"],
    "filter": ["INPUT", "FORWARD", "OUTPUT"],
}


def foreign(seed):
    """Commands that put a few random rules around those of kube-proxy. Answers pass: the walk does not follow them."""
    dice = random.Random(seed)
    commands = ["iptables -t nat -N FOREIGN", "iptables -t nat -A FOREIGN -p tcp -m tcp --dport 80 -j RETURN"]
    for _ in range(dice.randint(1, 4)):
        table = dice.choice(list(CHAINS))
        match, target = dice.choice(MATCHES), dice.choice(TARGETS[table])
        chain = dice.choice(CHAINS[table])
        if "tcp-reset" in target and "-p tcp" not in match:
            match = f"-p tcp {match}".replace("-p tcp -p udp", "-p tcp")
        if chain not in ("PREROUTING", "FORWARD", "INPUT") and "-i " in match:
            match = ""
        match += " -m tcp --tcp-flags SYN,ACK SYN" if table == "raw" else " -m conntrack --ctstate NEW"
        if table == "raw" and "-p tcp" not in match:
            match = f"-p tcp {match}".replace("-p tcp -p udp", "-p tcp")
        commands.append(f"iptables -t {table} {dice.choice(['-I', '-A'])} {chain} {match} -j {target}")
    return " && ".join(commands)


@pytest.mark.parametrize("seed", range(8))
def test_random_foreign_rules(lab, seed):
    check(lab, load(lab, ["iptables", "nftables"][seed % 2], foreign(seed)), FOUR, STICKY_EVERYWHERE, strict=False)
