"""What was read of one node: its packet rules as texts, its kernel, and what its kube-proxy says of itself.

The files of ``nodes/<node>/`` in a snapshot's layout. A file that can't be understood counts as one that was not read,
and is named.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from .meta import Base

T = TypeVar("T")

RULE_FILES = (
    "iptables-save.txt",
    "ip6tables-save.txt",
    "iptables-legacy-save.txt",
    "ip6tables-legacy-save.txt",
    "nft-ip-kube-proxy.json",
    "nft-ip6-kube-proxy.json",
    "ip_vs.txt",
    "ipvsadm-Sn.txt",
    "ipvsadm-Ln.txt",
    "ipset.txt",
    "conntrack.txt",
)
"""Whoever needs them parses them."""
DECODED_FILES = (
    "sysctl.json",
    "addresses.json",
    "routes.json",
    "proxy-healthz.json",
    "proxy-mode.txt",
    "proxy-metrics.txt",
    "proxy-configz.json",
)
FILES = RULE_FILES + DECODED_FILES


class AddressInfo(Base, frozen=True, rename=None):
    """One address of an interface, as ``ip -json address`` says it."""

    family: str = ""
    local: str = ""
    prefixlen: int = 0
    scope: str = ""


class Link(Base, frozen=True, rename=None):
    """An interface."""

    ifname: str = ""
    mtu: int = 0
    master: str = ""
    addr_info: tuple[AddressInfo, ...] = ()


class RouteLine(Base, frozen=True, rename=None):
    """A line of the main routing table, as ``ip -json route`` says it."""

    dst: str = ""
    dev: str = ""
    gateway: str = ""


class ProxyHealth(Base, frozen=True):
    """/healthz on port 10256. Until Kubernetes 1.32 it says only when rules were last written."""

    healthy: bool | None = None
    last_updated: str = ""
    current_time: str = ""
    node_eligible: bool | None = None


class ProxyConfiguration(Struct, frozen=True):
    """The fields of a KubeProxyConfiguration that decide what rules do."""

    mode: str = ""
    hostname_override: str = ""
    detect_local_mode: str = "ClusterCIDR"
    cluster_cidrs: tuple[str, ...] = ()
    bridge_interface: str = ""
    interface_name_prefix: str = ""
    masquerade_all: bool = False
    localhost_node_ports: bool = True
    node_port_addresses: tuple[str, ...] = ()
    sync_period: timedelta = timedelta(seconds=30)
    min_sync_period: timedelta = timedelta(seconds=1)


class Sample(Struct, frozen=True):
    """One line of /metrics."""

    name: str
    labels: str  # as it stands between the braces
    value: float


class NodeRules(Struct, frozen=True):
    """Everything of one node. What is None or empty was not read."""

    node: str
    texts: Mapping[str, str] = {}  # every file as it was read, by name
    sysctls: Mapping[str, str] = {}
    links: tuple[Link, ...] | None = None
    routes: tuple[RouteLine, ...] | None = None
    health: ProxyHealth | None = None
    mode: str = ""
    configuration: ProxyConfiguration | None = None
    metrics: tuple[Sample, ...] = ()
    unreadable: tuple[str, ...] = ()  # files that were there, and say nothing that makes sense

    def metric(self, name: str, family: str = "") -> float | None:
        """The largest sample of that name, of one family (IPv4, IPv6) or of any; None where there is none.

        Before Kubernetes 1.33 they are not told apart by family.
        """
        other = f'ip_family="{OTHER[family]}"' if family else "\0"
        found = [sample.value for sample in self.metrics if sample.name == name and other not in sample.labels]
        return max(found) if found else None

    def moment(self, name: str, family: str = "") -> datetime | None:
        """The latest moment that a metric in Unix seconds tells; None for one that never came."""
        found = self.metric(name, family)
        return datetime.fromtimestamp(found, UTC) if found and 0 < found < MOST_SECONDS else None

    @property
    def has_rules(self) -> bool:
        """Whether anything was read that packets meet."""
        return any(self.texts.get(name, "").strip() for name in RULE_FILES if name != "conntrack.txt")


OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}
MOST_SECONDS = 32503680000.0
"""The year 3000."""


def read(node: str, files: Mapping[str, bytes]) -> NodeRules:
    """The observations of ``node`` from its files by name; others than FILES are passed over."""
    bad: list[str] = []

    def told(name: str, understand: Callable[[str], T], default: T) -> T:
        text = files.get(name, b"").decode(errors="replace")
        if not text.strip():
            return default
        try:
            return understand(text)
        except (msgspec.MsgspecError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            bad.append(name)
            return default

    return NodeRules(
        node,
        texts={name: files[name].decode(errors="replace") for name in FILES if files.get(name, b"").strip()},
        sysctls=told("sysctl.json", _sysctls, {}),
        links=told("addresses.json", _links, None),
        routes=told("routes.json", _routes, None),
        health=told("proxy-healthz.json", _health, None),
        mode=told("proxy-mode.txt", str.strip, ""),
        configuration=told("proxy-configz.json", _configz, None),
        metrics=told("proxy-metrics.txt", _metrics, ()),
        unreadable=tuple(bad),
    )


def _sysctls(text: str) -> Mapping[str, str]:
    return {name: str(value).strip() for name, value in msgspec.json.decode(text, type=dict[str, str | int]).items()}


def _links(text: str) -> tuple[Link, ...] | None:
    return msgspec.json.decode(text, type=tuple[Link, ...])


def _routes(text: str) -> tuple[RouteLine, ...] | None:
    return msgspec.json.decode(text, type=tuple[RouteLine, ...])


def _health(text: str) -> ProxyHealth | None:
    return msgspec.json.decode(text, type=ProxyHealth)


SAMPLE = re.compile(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*")


def _metrics(text: str) -> tuple[Sample, ...]:
    """Lines of the Prometheus text format; a line that is none is passed over."""
    found = (SAMPLE.fullmatch(line) for line in text.splitlines() if line.startswith("kubeproxy_"))
    return tuple(Sample(match[1], match[2] or "", float(match[3])) for match in found if match and _number(match[3]))


def _number(text: str) -> bool:
    try:
        return float(text) == float(text)  # not NaN
    except ValueError:
        return False


# --------------------------------------------------------------------------------------------------- its configuration


def _configz(text: str) -> ProxyConfiguration | None:
    document = msgspec.json.decode(text, type=dict[str, dict[str, Any]])
    return configuration(next(iter(document.values()), {}))


def configuration(document: Mapping[str, Any]) -> ProxyConfiguration:
    """A KubeProxyConfiguration, v1alpha1 or as Go calls its fields (before 1.36), in whatever case they are written.

    Raises ValueError, TypeError or AttributeError for what is none.
    """
    told = _lower(document)
    mode = str(told.get("mode") or "")
    own = told.get(mode or "iptables") or {}
    local = told.get("detectlocal") or {}
    linux = told.get("linux") or {}
    iptables = told.get("iptables") or {}
    return ProxyConfiguration(
        mode=mode,
        hostname_override=str(told.get("hostnameoverride") or ""),
        detect_local_mode=str(told.get("detectlocalmode") or "ClusterCIDR"),
        cluster_cidrs=_words(told.get("clustercidr") or local.get("clustercidrs")),
        bridge_interface=str(local.get("bridgeinterface") or ""),
        interface_name_prefix=str(local.get("interfacenameprefix") or ""),
        masquerade_all=bool(
            linux.get("masqueradeall") or (own if mode == "nftables" else iptables).get("masqueradeall")
        ),
        localhost_node_ports=iptables.get("localhostnodeports") is not False,
        node_port_addresses=_words(told.get("nodeportaddresses")),
        sync_period=duration(own.get("syncperiod") or told.get("syncperiod")) or timedelta(seconds=30),
        min_sync_period=duration(own.get("minsyncperiod") or told.get("minsyncperiod")),
    )


def _lower(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key).lower(): _lower(item) for key, item in value.items()}
    return value


def _words(value: Any) -> tuple[str, ...]:
    """A list, or its items with commas between them."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return tuple(str(item) for item in value) if isinstance(value, Iterable) else ()


UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def duration(text: Any) -> timedelta:
    """Go's spelling of a duration (``1m30s``), or nanoseconds; nothing for what is none."""
    if isinstance(text, int):
        return timedelta(microseconds=text / 1000)
    parts = re.findall(r"([\d.]+)(ms|us|µs|ns|h|m|s)", text) if isinstance(text, str) else []
    return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))
