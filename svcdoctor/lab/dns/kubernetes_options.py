"""The options of the kubernetes plugin (coredns plugin/kubernetes/setup.go)."""

from collections.abc import Callable

import dns.name
from dns.name import Name
from msgspec import Struct, structs

from . import selectors
from .corefile import Block, Directive
from .records import Exposure
from .tokens import number
from .world import Fallthrough, fallthrough
from .zones import zones

TTL, LONGEST_TTL = 5, 3600
POD_MODES = ("disabled", "insecure", "verified")
REVERSE = tuple(dns.name.from_text(name) for name in ("in-addr.arpa", "ip6.arpa"))
WITHOUT_EFFECT = (
    "endpoint",
    "tls",
    "kubeconfig",
    "apiserver_qps",
    "apiserver_burst",
    "apiserver_max_inflight",
    "multicluster",
    "startup_timeout",
    "zonal",
)


class Options(Struct, frozen=True):
    """One stanza, read; ``primary`` is the zone that PTR records lead into."""

    zones: tuple[Name, ...]
    primary: Name
    ttl: int = TTL
    fallthrough: Fallthrough = Fallthrough()
    exposure: Exposure = Exposure()


def options(directive: Directive, block: Block) -> Options:
    """Raises CorefileError."""
    served = zones(directive.args, directive.line) or block.zones
    forward = [zone for zone in served if not any(zone.is_subdomain(reverse) for reverse in REVERSE)]
    if not forward:
        raise directive.error("non-reverse zone name must be used")
    chosen = Options(served, forward[0])
    for word, *args in directive.body:
        if word not in WITHOUT_EFFECT:
            chosen = _option(chosen, directive, word, tuple(args))
    return chosen


def _option(chosen: Options, directive: Directive, word: str, args: tuple[str, ...]) -> Options:
    if word == "ttl":
        return structs.replace(chosen, ttl=_ttl(directive, args))
    if word == "fallthrough":
        return structs.replace(chosen, fallthrough=fallthrough(args, directive.line))
    read = EXPOSING.get(word)
    if read is None:
        raise directive.error(f"unknown property '{word}'")
    try:
        changed = structs.replace(chosen.exposure, **read(args))
    except ValueError as error:
        raise directive.error(str(error)) from error
    return structs.replace(chosen, exposure=changed)


def _ttl(directive: Directive, args: tuple[str, ...]) -> int:
    ttl = number(" ".join(args))
    if ttl is None or ttl > LONGEST_TTL:
        raise directive.error(f"ttl must be in range [0, {LONGEST_TTL}]: {' '.join(args)}")
    return ttl


def _pods(args: tuple[str, ...]) -> str:
    if len(args) != 1 or args[0] not in POD_MODES:
        raise ValueError(f"wrong value for pods: {' '.join(args)}, must be one of: disabled, verified, insecure")
    return args[0]


def _ignored(args: tuple[str, ...]) -> bool:
    if args != ("empty_service",):
        raise ValueError(f"unable to parse ignore value: '{' '.join(args)}'")
    return True


EXPOSING: dict[str, Callable[[tuple[str, ...]], dict[str, object]]] = {
    "pods": lambda args: {"pods": _pods(args)},
    "namespaces": lambda args: {"namespaces": frozenset(args)},
    "labels": lambda args: {"labels": selectors.parse(" ".join(args))},
    "namespace_labels": lambda args: {"namespace_labels": selectors.parse(" ".join(args))},
    "endpoint_pod_names": lambda args: {"endpoint_pod_names": True},
    "ignore": lambda args: {"ignore_empty_service": _ignored(args)},
    "noendpoints": lambda args: {"endpoints": False},
}
