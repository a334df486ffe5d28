"""What CoreDNS would have written to its log while it behaved like that."""

import hashlib
import random
from collections.abc import Iterator
from datetime import datetime

import dns.name

from . import corefile
from .behaviour import Behaviour
from .corefile import Block, Directive
from .forward import host
from .tokens import CorefileError, number

VERSION = ("CoreDNS-1.14.2", "linux/amd64, go1.25.5, 1abcdef")
ACCOUNT = "system:serviceaccount:kube-system:coredns"
FORBIDDEN = (
    "[ERROR] plugin/kubernetes: Failed to watch *v1.EndpointSlice: failed to list *v1.EndpointSlice: "
    f'endpointslices.discovery.k8s.io is forbidden: User "{ACCOUNT}" cannot list resource "endpointslices" in API '
    'group "discovery.k8s.io" at the cluster scope'
)
NODES_OWN = "172.30.0.1"  # what the nodes' resolv.conf names, where the Corefile names that file
ASKED = ("api.example.com", "registry.example.com", "example.com")
"""Names whose look-up the log tells of: clients always ask for something outside."""


def log_lines(text: str, behaviour: Behaviour, at: datetime, *, address: str = "10.244.1.2") -> list[str]:
    """From the start of a container until now, without timestamps. ``address`` is its pod's.

    ``at`` tells one start from another: it varies ports and numbers.
    """
    chance = random.Random(int(at.timestamp()))
    try:
        blocks = corefile.parse(text)
        forwards = [_forwards(block) for block in blocks]
    except CorefileError as error:
        return reload_failed(error)
    lines = list(_start(text, blocks, behaviour))
    if behaviour.loop:
        return [*lines, *_loop(blocks, chance)]
    if behaviour.endpoints != "visible":
        lines += [FORBIDDEN] * 3
    if behaviour.unsynced or behaviour.endpoints == "unsynced":
        lines += ['[INFO] plugin/ready: Plugins not ready: "kubernetes"'] * 3
    for stanza in (one for each in forwards for one in each):
        lines += _forwarding(stanza, behaviour, chance, address)
    return lines


def _start(text: str, blocks: tuple[Block, ...], behaviour: Behaviour) -> Iterator[str]:
    if behaviour.unsynced or behaviour.endpoints == "unsynced":
        yield from ["[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server"] * 9
        yield "[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API"
    for block in blocks:
        for zone, port in block.keys:
            yield f"{zone}:{port}"
    if any(directive.name == "reload" for block in blocks for directive in block.directives):
        yield f"[INFO] plugin/reload: Running configuration SHA512 = {hashlib.sha512(text.encode()).hexdigest()}"
    yield from VERSION


def _loop(blocks: tuple[Block, ...], chance: random.Random) -> Iterator[str]:
    watched = [block for block in blocks if any(directive.name == "loop" for directive in block.directives)]
    for block in watched[:1]:
        zone, port = block.keys[0]
        asked = f"{chance.getrandbits(63)}.{chance.getrandbits(63)}.{'' if zone == dns.name.root else zone}"
        way = f"127.0.0.1:{chance.randint(32768, 60999)} -> :{port}"
        yield (
            f'[FATAL] plugin/loop: Loop ({way}) detected for zone "{zone}", '
            f'see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO {asked}"'
        )


def _forwards(block: Block) -> list[Directive]:
    """Those whose failures are written down: without ``errors`` CoreDNS says nothing of them."""
    if not any(directive.name == "errors" for directive in block.directives):
        return []
    return [directive for directive in block.directives if directive.name == "forward" and len(directive.args) > 1]


def _forwarding(stanza: Directive, behaviour: Behaviour, chance: random.Random, own: str) -> Iterator[str]:
    source, *targets = stanza.args
    names = [name for name in ASKED if source == "."] or [f"www.{source.rstrip('.')}"]
    dead = [target for target in targets if host(target) in behaviour.dead_upstreams]
    most = next((args[0] for word, *args in stanza.body if word == "max_concurrent" and args), "0")
    for name in names:
        for kind in ("A", "AAAA"):
            if len(dead) == len(targets):
                upstream = NODES_OWN if "/" in dead[0] else host(dead[0])
                yield (
                    f"[ERROR] plugin/errors: 2 {name}. {kind}: read udp {own}:{chance.randint(32768, 60999)}->"
                    f"{upstream}:53: i/o timeout"
                )
            elif 0 < (number(most) or 0) <= behaviour.in_flight:
                yield f"[ERROR] plugin/errors: 5 {name}. {kind}: concurrent queries exceeded maximum {most}"


def reload_failed(error: CorefileError) -> list[str]:
    """What is written of a text that NameServer.corefile did not take: its ``reload_error``."""
    return [
        "[INFO] Reloading",
        f"[ERROR] Restart failed: {error}",
        f"[ERROR] plugin/reload: Corefile changed but reload failed: {error}",
    ]
