"""Small rule sets, packets and a host, for tests of single rules."""

import json

from svcdoctor.network import iptables, nftables
from svcdoctor.network.packet import Host, Origin, Packet, Route

POD = Packet("10.244.1.2", "10.96.0.10", 80, "tcp", Origin.POD)
NODE = Packet("172.30.0.11", "10.96.0.10", 80, "tcp", Origin.NODE)
HOST = Host(
    frozenset({"172.30.0.11", "10.244.1.1"}),
    (Route("0.0.0.0/0", "eth0"), Route("10.244.1.0/24", "cni0"), Route("172.30.0.0/24", "eth0")),
)
HOOKS = {
    "raw": ["PREROUTING", "OUTPUT"],
    "mangle": ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
    "nat": ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
    "filter": ["INPUT", "FORWARD", "OUTPUT"],
}


def table(name, *rules, policies=None):
    """A table of iptables-save with these rules and the chains that they need."""
    policies = policies or {}
    chains = [f":{chain} {policies.get(chain, 'ACCEPT')} [0:0]" for chain in HOOKS[name]]
    own = dict.fromkeys(rule.split()[1] for rule in rules if rule.split()[1] not in HOOKS[name])
    lines = [f"*{name}", *chains, *(f":{chain} - [0:0]" for chain in own), *rules, "COMMIT", ""]
    return "\n".join(lines)


def saved(*tables):
    return iptables.read("".join(tables))


DNAT = "-A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.2.7:8080"
THERE = "10.244.2.7:8080"


def nft(*objects):
    """A listing of a table ip t; a rule is written as (chain, statement, ...)."""
    listed = [{"table": {"family": "ip", "name": "t"}}]
    for one in objects:
        rule = isinstance(one, tuple) and {"family": "ip", "table": "t", "chain": one[0], "expr": list(one[1:])}
        listed.append({"rule": rule} if rule else one)
    return nftables.read(json.dumps({"nftables": listed}))


def base(name, kind, hook, prio, policy="accept"):
    fields = {"name": name, "type": kind, "hook": hook, "prio": prio, "policy": policy}
    return {"chain": {"family": "ip", "table": "t", **fields}}


def chain(name):
    return {"chain": {"family": "ip", "table": "t", "name": name}}


DADDR = {"payload": {"protocol": "ip", "field": "daddr"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
DROP = {"drop": None}
MARK = {"meta": {"key": "mark"}}
PREROUTING = base("pre", "nat", "prerouting", -100)


def draw(modulus):
    return {"numgen": {"mode": "random", "mod": modulus, "offset": 0}}
