"""What the rules of a node must do, by the documented behaviour of kube-proxy: written down apart from the product."""

from fractions import Fraction
from ipaddress import ip_address, ip_network

from svcdoctor.network.packet import Origin

REFUSED, DROPPED, ROUTED = {"reject icmp-port-unreachable": "1"}, {"drop drop": "1"}, {"routed": "1"}


def condition(endpoint, name, default):
    value = endpoint["conditions"].get(name)
    return default if value is None else value


class Port:
    """A Service port on node1: its endpoints by the topology rules of kube-proxy (pkg/proxy/topology.go)."""

    def __init__(self, service, port, slices, node="node1", zone="zone-1"):
        self.spec, self.port, self.status = service["spec"], port, service["status"]
        found = {}
        for slice_ in slices:
            if slice_["metadata"]["labels"]["kubernetes.io/service-name"] != service["metadata"]["name"]:
                continue
            for one in slice_["endpoints"] or []:
                for each in slice_["ports"]:
                    if (each["name"], each["protocol"]) == (port["name"], port["protocol"]):
                        key = f"{one['addresses'][0]}:{each['port']}"
                        if key not in found or not condition(one, "terminating", False):
                            found[key] = one
        all_ = dict(sorted(found.items()))
        ready = {key: one for key, one in all_.items() if condition(one, "ready", True)}
        leaving = {
            key: one
            for key, one in all_.items()
            if condition(one, "serving", True) and condition(one, "terminating", False)
        }
        here = {key for key, one in all_.items() if one.get("nodeName") == node}
        self.cluster = list(nearest(ready, node, zone) or ready or leaving)
        self.local = [key for key in ready if key in here] or [key for key in leaving if key in here]
        self.any = bool(ready or leaving)
        self.internal_local = self.spec["internalTrafficPolicy"] == "Local"
        outside = port.get("nodePort"), self.spec.get("externalIPs"), self.status["loadBalancer"].get("ingress")
        if self.internal_local and not any(outside):
            self.cluster = []  # nobody asks for it
        self.external_local = self.spec.get("externalTrafficPolicy") == "Local"

    def share(self, places, seen):
        if not places:
            return REFUSED
        return {
            f"{place}{' masqueraded' if seen(place) else ''}": str(Fraction(1, len(places))) for place in sorted(places)
        }

    def ranges(self):
        ranges = self.spec.get("loadBalancerSourceRanges") or []
        return [] if any(text.endswith("/0") for text in ranges) else ranges


def nearest(ready, node, zone):
    """The ready endpoints that hints choose for the node, if each has one and any has one for it."""
    for kind, own in (("forNodes", node), ("forZones", zone)):
        hints = {key: {one["name"] for one in (ep.get("hints") or {}).get(kind) or []} for key, ep in ready.items()}
        if hints and all(hints.values()):
            chosen = [key for key, names in hints.items() if own in names]
            if chosen:
                return chosen
    return []


def within(source, ranges):
    return any(ip_address(source) in ip_network(text) for text in ranges)


def to_cluster_ip(port, source, origin, ipvs=False):
    seen = lambda place: origin is not Origin.POD or place.partition(":")[0] == source  # noqa: E731
    if ipvs:
        return port.share((port.local if port.internal_local else []) or port.cluster, seen)
    if not port.any:
        return REFUSED
    if port.internal_local:
        return port.share(port.local, seen) if port.local else DROPPED
    return port.share(port.cluster, seen)


def to_outside(port, source, origin, kind, mode):
    """To an external IP, a load balancer's IP or a node port.

    In iptables mode what the node itself sends to an external address is not refused: OUTPUT has no jump to
    KUBE-EXTERNAL-SERVICES. IPVS refuses before any filter of OUTPUT is asked.
    """
    balancer = kind == "balancer"
    allowed = not balancer or not port.ranges() or within(source, port.ranges())
    if mode == "ipvs":
        if not allowed and (port.cluster or origin is not Origin.NODE):
            return DROPPED
        places = (port.local if port.external_local else []) or port.cluster
        return port.share(places, lambda place: not port.external_local or place.partition(":")[0] == source)
    if not port.any and mode == "iptables" and origin is Origin.NODE and kind != "node":
        return ROUTED
    if not port.any:
        return REFUSED if allowed or mode == "iptables" else DROPPED
    if not allowed:
        return DROPPED
    if not port.external_local:
        return port.share(port.cluster, lambda place: True)
    if origin is Origin.OUTSIDE:
        return port.share(port.local, lambda place: False) if port.local else DROPPED
    seen = lambda place: origin is Origin.NODE or place.partition(":")[0] == source  # noqa: E731
    return port.share(port.cluster, seen) if port.cluster else {}
