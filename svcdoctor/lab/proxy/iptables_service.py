"""The iptables mode: the rules of one service port."""

from functools import lru_cache

from .endpoints import Endpoint
from .family import V6, Family, host_cidr
from .names import endpoint_chain
from .plan import Entry, Plan
from .services import ServicePort
from .tables import Tables, comment

MASQUERADE = "-j KUBE-MARK-MASQ"
LOCALHOST_COUNTER = "-m nfacct --nfacct-name  localhost_nps_accepted_pkts"


def write_service(plan: Plan, tables: Tables, entry: Entry) -> None:
    """Dispatch in the top-level chains, and the chains of the service port itself."""
    _cluster_ip(plan, tables, entry)
    if entry.port.externally_accessible:
        _external(plan, tables, entry)
    if entry.port.health_check_port:
        tables.chain("filter", "KUBE-NODEPORTS").append(
            f"-p tcp {comment(f'{entry.port.spn} health check node port')}"
            f" -m tcp --dport {entry.port.health_check_port} -j ACCEPT"
        )
    if entry.backends.has_endpoints:
        if entry.port.externally_accessible:
            _external_chain(plan, tables, entry)
        _load_balancing(plan, tables, entry)


def _policy_chain(entry: Entry, local: bool) -> str:
    return f"KUBE-{'SVL' if local else 'SVC'}-{entry.hash}"


def _destination(family: Family, port: ServicePort, ip: str, why: str) -> str:
    """The match of one frontend."""
    return (
        f"-d {host_cidr(family, ip)} -p {port.protocol} {comment(f'{port.spn} {why}')}"
        f" -m {port.protocol} --dport {port.port}"
    )


def _verdict(plan: Plan, entry: Entry) -> tuple[str, str]:
    """Why a frontend leads nowhere, and what becomes of its packets."""
    if entry.backends.has_endpoints:
        return "has no local endpoints", "DROP"
    return "has no endpoints", f"REJECT --reject-with {plan.family.icmp}"


def _cluster_ip(plan: Plan, tables: Tables, entry: Entry) -> None:
    port = entry.port
    if entry.has_internal:
        match = _destination(plan.family, port, port.cluster_ip, "cluster IP")
        chain = _policy_chain(entry, port.internal_local)
        tables.chain("nat", "KUBE-SERVICES").append(f"{match} -j {chain}")
        return
    why, target = _verdict(plan, entry)
    match = _destination(plan.family, port, port.cluster_ip, why)
    tables.chain("filter", "KUBE-SERVICES").append(f"{match} -j {target}")


def _firewalled(entry: Entry) -> bool:
    return bool(entry.backends.has_endpoints and entry.port.vips and entry.port.source_ranges)


def _external(plan: Plan, tables: Tables, entry: Entry) -> None:
    """The external frontends: to the EXT chain if there is anything, refused if nothing may answer here."""
    port, external = entry.port, f"KUBE-EXT-{entry.hash}"
    if entry.backends.has_endpoints:
        services = tables.chain("nat", "KUBE-SERVICES")
        for ip in port.external_ips:
            services.append(f"{_destination(plan.family, port, ip, 'external IP')} -j {external}")
        balancer = f"KUBE-FW-{entry.hash}" if _firewalled(entry) else external
        for ip in port.vips:
            services.append(f"{_destination(plan.family, port, ip, 'loadbalancer IP')} -j {balancer}")
        tables.chain("nat", "KUBE-NODEPORTS").extend(_node_port(plan, port, external))
    if _firewalled(entry):
        _firewall(plan, tables, entry)
    if not entry.has_external:
        tables.chain("filter", "KUBE-EXTERNAL-SERVICES").extend(_refusals(plan, entry))


def _node_port(plan: Plan, port: ServicePort, external: str) -> list[str]:
    if not port.node_port:
        return []
    match = f"-p {port.protocol} {comment(port.spn)} -m {port.protocol} --dport {port.node_port}"
    rules = [f"{match} -j {external}"]
    if plan.node_ports.localhost and plan.config.nfacct:
        rules.insert(0, f"-d 127.0.0.0/8 {match} {LOCALHOST_COUNTER} -j {external}")
    return rules


def _refusals(plan: Plan, entry: Entry) -> list[str]:
    port = entry.port
    why, target = _verdict(plan, entry)
    rules = [f"{_destination(plan.family, port, ip, why)} -j {target}" for ip in (*port.external_ips, *port.vips)]
    if port.node_port:
        rules.append(
            f"-p {port.protocol} {comment(f'{port.spn} {why}')} -m addrtype --dst-type LOCAL"
            f" -m {port.protocol} --dport {port.node_port} -j {target}"
        )
    return rules


def _firewall(plan: Plan, tables: Tables, entry: Entry) -> None:
    """loadBalancerSourceRanges: who may pass goes on to EXT; the rest is not translated, and dropped for that."""
    port, chain = entry.port, f"KUBE-FW-{entry.hash}"
    allowed = [*port.source_ranges, *(host_cidr(plan.family, ip) for ip in plan.allowed_vips(port))]
    why = comment(f"{port.spn} loadbalancer IP")
    rules = tables.chain("nat", chain)
    rules.extend(f"-s {cidr} {why} -j KUBE-EXT-{entry.hash}" for cidr in allowed)
    rules.append(comment(f"other traffic to {port.spn} will be dropped by KUBE-PROXY-FIREWALL"))
    tables.chain("filter", "KUBE-PROXY-FIREWALL").extend(
        f"{_destination(plan.family, port, ip, f'traffic not accepted by {chain}')} -j DROP" for ip in port.vips
    )


def _external_chain(plan: Plan, tables: Tables, entry: Entry) -> None:
    """KUBE-EXT: the Cluster policy masquerades; the Local policy does for the node itself only, and lets the node
    and its pods reach all endpoints, as if they came back in from outside."""
    spn, cluster = entry.port.spn, _policy_chain(entry, False)
    rules = tables.chain("nat", f"KUBE-EXT-{entry.hash}")
    if not entry.port.external_local:
        rules.append(f"{comment(f'masquerade traffic for {spn} external destinations')} {MASQUERADE}")
    else:
        if plan.detector.implemented:
            why = comment(f"pod traffic for {spn} external destinations")
            rules.append(f"{plan.detector.iptables(True)}{why} -j {cluster}")
        source = "-m addrtype --src-type LOCAL"
        rules.append(f"{comment(f'masquerade LOCAL traffic for {spn} external destinations')} {source} {MASQUERADE}")
        rules.append(f"{comment(f'route LOCAL traffic for {spn} external destinations')} {source} -j {cluster}")
    if entry.has_external:
        rules.append(f"-j {_policy_chain(entry, entry.port.external_local)}")


def _load_balancing(plan: Plan, tables: Tables, entry: Entry) -> None:
    """KUBE-SVC and KUBE-SVL, and a KUBE-SEP for each endpoint that they can choose."""
    port, backends = entry.port, entry.backends
    chains = {one.text: endpoint_chain(port, one) for one in backends.reachable}
    for local, endpoints, used in (
        (False, backends.cluster, port.uses_cluster),
        (True, backends.local, port.uses_local),
    ):
        if not endpoints or not used:
            continue
        rules = tables.chain("nat", _policy_chain(entry, local))
        if local == port.internal_local:
            rules.extend(_masquerade_strangers(plan, port))
        rules.extend(_choice(plan, port, endpoints, chains))
    for endpoint in backends.reachable:
        _endpoint(plan, tables, port, endpoint, chains[endpoint.text])


def _masquerade_strangers(plan: Plan, port: ServicePort) -> list[str]:
    """Who is no pod gets the node's address towards the endpoint, or the answer might take another way back."""
    destination = f"-d {host_cidr(plan.family, port.cluster_ip)} "
    if plan.config.masquerade_all:
        source = destination
    elif plan.detector.implemented:
        source = plan.detector.iptables(False, destination)
    else:
        return []
    return [
        f"{source}-p {port.protocol} {comment(f'{port.spn} cluster IP')}"
        f" -m {port.protocol} --dport {port.port} {MASQUERADE}"
    ]


def _choice(plan: Plan, port: ServicePort, endpoints: tuple[Endpoint, ...], chains: dict[str, str]) -> list[str]:
    """Each endpoint with the same probability: the i-th rule is asked with 1/(n-i), the last always says yes."""
    texts = ["" if plan.large else f"{comment(f'{port.spn} -> {one.text}')} " for one in endpoints]
    names = [chains[one.text] for one in endpoints]
    rules = []
    if port.affinity:
        known = (
            f"-m recent --rcheck --seconds {port.affinity} --reap --name {{0}} --mask {_mask(plan)} --rsource -j {{0}}"
        )
        rules = [text + known.format(name) for text, name in zip(texts, names, strict=True)]
    left = len(endpoints)
    for text, name in zip(texts, names, strict=True):
        chance = f"-m statistic --mode random --probability {probability(left)} " if left > 1 else ""
        rules.append(f"{text}{chance}-j {name}")
        left -= 1
    return rules


def _mask(plan: Plan) -> str:
    return ":".join(["ffff"] * 8) if plan.family is V6 else "255.255.255.255"


@lru_cache(maxsize=4096)
def probability(parts: int) -> str:
    """1/parts as iptables-save prints it: kube-proxy writes ten decimals, the kernel keeps 31 bits of them."""
    kept = round(float(f"{1 / parts:.10f}") * 2**31)
    return f"{kept / 2**31:.11f}"


def _endpoint(plan: Plan, tables: Tables, port: ServicePort, endpoint: Endpoint, chain: str) -> None:
    """KUBE-SEP: who was sent to himself is masqueraded, and all are translated."""
    why = "" if plan.large else f"{comment(port.spn)} "
    sticky = f"-m recent --set --name {chain} --mask {_mask(plan)} --rsource " if port.affinity else ""
    tables.chain("nat", chain).extend(
        (
            f"-s {host_cidr(plan.family, endpoint.ip)} {why}{MASQUERADE}",
            f"-p {port.protocol} {why}{sticky}-m {port.protocol} -j DNAT --to-destination {endpoint.text}",
        )
    )
