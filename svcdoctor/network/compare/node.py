"""What was read of a node, made ready to be walked and judged: its rules, the host around them, its kube-proxy."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, ip_address, ip_network

from msgspec import Struct

from ...errors import BadData
from ...model.cluster import ZONE_LABEL, Node
from ...model.meta import each
from ...model.node_rules import NodeRules, ProxyConfiguration
from .. import iptables, ipvs, nftables
from ..desired import Detector, Mode, Network, ProxyNode, networks
from ..packet import Host, Route
from ..ruleset import Ruleset, combine

DUMMY = "kube-ipvs0"
"""The interface on which IPVS mode has all virtual addresses."""


class Readout(Struct, frozen=True):
    """The rules, and what of them could not be read."""

    ruleset: Ruleset
    legacy: Ruleset = Ruleset()  # of iptables' older tables, which are a second set beside the others
    errors: tuple[str, ...] = ()


def read_rules(rules: NodeRules) -> Readout:
    """All dumps of the node together."""
    errors: list[str] = []
    source = f"nodes/{rules.node}/"
    return Readout(
        combine(_read(rules, CURRENT, source, errors)),
        combine(_read(rules, LEGACY, source, errors)),
        tuple(errors),
    )


Reader = Callable[[str, str], Ruleset]


def _saved(family: str) -> Reader:
    return lambda text, source: iptables.read(text, source, family)


CURRENT: tuple[tuple[tuple[str, ...], Reader], ...] = (
    (("iptables-save.txt",), _saved("ip")),
    (("ip6tables-save.txt",), _saved("ip6")),
    (("nft-ip-kube-proxy.json",), nftables.read),
    (("nft-ip6-kube-proxy.json",), nftables.read),
    (("ip_vs.txt", "ipvsadm-Sn.txt", "ipvsadm-Ln.txt"), ipvs.read),
    (("ipset.txt",), ipvs.read_sets),
)
LEGACY: tuple[tuple[tuple[str, ...], Reader], ...] = (
    (("iptables-legacy-save.txt",), _saved("ip")),
    (("ip6tables-legacy-save.txt",), _saved("ip6")),
)
"""Of several files that say the same, the first that is there counts."""


def _read(
    rules: NodeRules, files: tuple[tuple[tuple[str, ...], Reader], ...], source: str, errors: list[str]
) -> Iterator[Ruleset]:
    for names, reader in files:
        name = next((name for name in names if name in rules.texts), "")
        if not name:
            continue
        try:
            yield reader(rules.texts[name], source + name)
        except BadData as error:
            errors.append(str(error))


NEEDED: dict[tuple[Mode, bool], tuple[tuple[str, ...], ...]] = {
    (Mode.IPTABLES, False): (("iptables-save.txt",),),
    (Mode.IPTABLES, True): (("ip6tables-save.txt",),),
    (Mode.NFTABLES, False): (("nft-ip-kube-proxy.json",),),
    (Mode.NFTABLES, True): (("nft-ip6-kube-proxy.json",),),
    (Mode.IPVS, False): (("iptables-save.txt",), ("ip_vs.txt", "ipvsadm-Sn.txt", "ipvsadm-Ln.txt"), ("ipset.txt",)),
    (Mode.IPVS, True): (("ip6tables-save.txt",), ("ip_vs.txt", "ipvsadm-Sn.txt", "ipvsadm-Ln.txt"), ("ipset.txt",)),
}
"""The dumps without which the rules of a family are not known; of several names, one."""


def lacking(rules: NodeRules, mode: Mode, v6: bool) -> tuple[str, ...]:
    """The files that were not read, and are needed to judge."""
    return tuple(names[0] for names in NEEDED[mode, v6] if not any(name in rules.texts for name in names))


def host_of(rules: NodeRules, v6: bool) -> Host:
    """The kernel around the rules. Settings that were not read are taken to be as a Service needs them."""
    version = 6 if v6 else 4
    found = None
    if rules.links is not None:
        found = frozenset(info.local for link in rules.links for info in link.addr_info if info.local)
    routes = None
    if rules.routes is not None and not v6:
        routes = tuple(route for line in rules.routes for route in _route(line.dst, line.dev, version))
    forwarding = rules.sysctls.get("net.ipv6.conf.all.forwarding" if v6 else "net.ipv4.ip_forward", "1")
    localnet = rules.sysctls.get("net.ipv4.conf.all.route_localnet", "1")
    return Host(found, routes, forwarding != "0", localnet != "0")


def _route(destination: str, device: str, version: int) -> Iterator[Route]:
    text = ("::/0" if version == 6 else "0.0.0.0/0") if destination == "default" else destination
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return
    if network.version == version and device:
        yield Route(str(network), device)


# ------------------------------------------------------------------------------------------------------- its kube-proxy


def mode_of(rules: NodeRules) -> Mode | None:
    """What it says itself, else what its rules look like; None if neither tells, as where there is no kube-proxy."""
    said = rules.mode or (rules.configuration.mode or Mode.IPTABLES if rules.configuration else "")
    if said in tuple(Mode):
        return Mode(said)
    saved = rules.texts.get("iptables-save.txt", "") + rules.texts.get("ip6tables-save.txt", "")
    if '"service-ips"' in rules.texts.get("nft-ip-kube-proxy.json", "") + rules.texts.get(
        "nft-ip6-kube-proxy.json", ""
    ):
        return Mode.NFTABLES
    if ":KUBE-IPVS-FILTER " in saved:
        return Mode.IPVS
    return Mode.IPTABLES if ":KUBE-SERVICES " in saved else None


def proxy_node(
    rules: NodeRules, node: Node | None, configuration: ProxyConfiguration, mode: Mode, v6: bool
) -> ProxyNode:
    """The node as its kube-proxy sees it. ``node`` is the API's object, None if it was not read."""
    own = _addresses(rules, node, v6)
    cidrs = tuple(each(node.spec.pod_cidrs)) if node else ()
    told = configuration.node_port_addresses or (("primary",) if mode is Mode.NFTABLES else ())
    nets = networks(told, v6)
    primary = own[0] if own else ""
    if "primary" in told:
        nets = networks([primary], v6) if primary else ()
    localhost = configuration.localhost_node_ports and not v6 and (not nets or _holds_loopback(nets))
    return ProxyNode(
        name=configuration.hostname_override or rules.node,
        mode=mode,
        v6=v6,
        zone=node.labels.get(ZONE_LABEL, "") if node else "",
        primary=primary,
        addresses=frozenset(own),
        detector=_detector(configuration, cidrs, v6),
        node_port_networks=nets,
        localhost_node_ports=localhost,
        masquerade_all=configuration.masquerade_all,
    )


def _holds_loopback(nets: tuple[Network, ...]) -> bool:
    return any(isinstance(net, IPv4Network) and net.overlaps(LOOPBACK) for net in nets)


LOOPBACK = IPv4Network("127.0.0.0/8")


def _addresses(rules: NodeRules, node: Node | None, v6: bool) -> list[str]:
    """Its InternalIPs first, then what its interfaces have."""
    told = [entry.address for entry in node.status.addresses if entry.type == "InternalIP"] if node else []
    on_links = [
        info.local
        for link in each(rules.links)
        if link.ifname not in (DUMMY, "lo")
        for info in link.addr_info
        if info.scope != "link"
    ]
    return [address for address in dict.fromkeys(told + on_links) if _version(address) == (6 if v6 else 4)]


def _version(address: str) -> int:
    try:
        return ip_address(address).version
    except ValueError:
        return 0


def _detector(configuration: ProxyConfiguration, pod_cidrs: tuple[str, ...], v6: bool) -> Detector | None:
    mode = configuration.detect_local_mode
    if mode == "BridgeInterface":
        return Detector(interface=configuration.bridge_interface)
    if mode == "InterfaceNamePrefix":
        return Detector(interface=f"{configuration.interface_name_prefix}*")
    found = networks(pod_cidrs if mode == "NodeCIDR" else configuration.cluster_cidrs, v6)
    return Detector(found[0]) if found else None
