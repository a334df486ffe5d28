"""What CoreDNS's kubernetes plugin is told to serve (plugin/kubernetes/setup.go)."""

from collections.abc import Iterable

from msgspec import Struct

from ...model.meta import LabelSelectorRequirement
from .corefile import Directive
from .label_selector import BadSelector, parse
from .names import within
from .tokens import ENVIRONMENT
from .zone_keys import keys

DEFAULT_TTL = 5
PLAIN = frozenset(
    ("tls", "apiserver_qps", "apiserver_burst", "apiserver_max_inflight", "startup_timeout", "resyncperiod", "upstream")
)
"""Options, some of them gone, that change no answer."""


class KubernetesPlugin(Struct, frozen=True):
    """The plugin's options; the defaults are those of a directive without any."""

    zones: tuple[str, ...]
    pods: str = "disabled"  # or insecure, verified
    ttl: int = DEFAULT_TTL  # seconds; also how long clients may keep a no
    fallthrough: tuple[str, ...] = ()  # zones whose NXDOMAIN the next plugin may overrule; "." for all
    namespaces: tuple[str, ...] = ()  # empty: all
    namespace_labels: tuple[LabelSelectorRequirement, ...] = ()
    labels: tuple[LabelSelectorRequirement, ...] = ()
    endpoints: bool = True  # False (noendpoints): no headless Service resolves
    ignore_empty: bool = False
    pod_names: bool = False  # endpoint_pod_names
    hostnames_only: bool = False  # ptr_hostname_only
    terminating: bool = False  # terminating_endpoints
    zonal: bool = False
    multicluster: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()  # in words: options whose effect is not computed

    def zone_of(self, name: str) -> str:
        """The zone of the plugin that ``name`` belongs to, "" for none."""
        return max((zone for zone in self.zones if within(zone, name)), key=len, default="")

    def falls_through(self, name: str) -> bool:
        return any(within(zone, name) for zone in self.fallthrough)


MANIFEST = KubernetesPlugin(
    zones=("cluster.local.", "in-addr.arpa.", "ip6.arpa."),
    pods="insecure",
    ttl=30,
    fallthrough=("in-addr.arpa.", "ip6.arpa."),
)
"""What the Corefile of Kubernetes's own manifest says (cluster/addons/dns/coredns)."""


def read(directive: Directive, served: Iterable[str]) -> KubernetesPlugin:
    """The options of a ``kubernetes`` directive in a block that serves ``served``; never an error.

    What CoreDNS would refuse, or what a newer one may understand, becomes a doubt.
    """
    zones, doubts = zone_list(directive.args, served)
    options: dict[str, object] = {"zones": zones}
    for option in directive.block:
        try:
            options |= _option(option, zones)
        except (ValueError, IndexError):
            doubts += (f"line {option.line}: {option}",)
    return KubernetesPlugin(**options, doubts=doubts)  # type: ignore[arg-type]


def zone_list(args: Iterable[str], served: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The zones that a plugin's arguments name, else those of its block; and in words which of them are not known."""
    found: list[str] = []
    doubts: list[str] = []
    for arg in args:
        try:
            found += [key.zone for key in keys(arg)]
        except ValueError:
            doubts.append(f"no zone: {arg}")
        else:
            doubts += [f"{arg} is filled in from the server's environment"] if ENVIRONMENT.search(arg) else []
    return tuple(found) or tuple(served), tuple(doubts)


def _option(option: Directive, zones: tuple[str, ...]) -> dict[str, object]:
    """What one option sets. Raises ValueError or IndexError for what is not understood."""
    args = option.args
    match option.name:
        case "pods" if args[0] in ("disabled", "insecure", "verified"):
            return {"pods": args[0]}
        case "ttl":
            return {"ttl": int(args[0])}
        case "fallthrough":
            return {"fallthrough": zone_list(args, ())[0] or (".",)}
        case "namespaces":
            return {"namespaces": args}
        case "labels" | "namespace_labels":
            return {option.name: _selector(" ".join(args))}
        case "noendpoints":
            return {"endpoints": False}
        case "ignore" if args[0] == "empty_service":
            return {"ignore_empty": True}
        case "endpoint_pod_names":
            return {"pod_names": True}
        case "ptr_hostname_only":
            return {"hostnames_only": True}
        case "terminating_endpoints":
            return {"terminating": True}
        case "zonal":
            return {"zonal": True}
        case "multicluster":
            return {"multicluster": zone_list(args, zones)[0]}
        case name if name in PLAIN:
            return {}
    raise ValueError(option.name)


def _selector(text: str) -> tuple[LabelSelectorRequirement, ...]:
    try:
        return parse(text)
    except BadSelector as error:
        raise ValueError(str(error)) from None
