"""Services and EndpointSlices to write rules for: by hand, and by hypothesis."""

from typing import Any

from hypothesis import strategies as st

from svcdoctor.lab.proxy import NodeView, ProxyConfig

Json = dict[str, Any]

NODE = NodeView(
    name="node1",
    addresses=("172.30.0.11", "fd00:172:30::11"),
    zone="zone-1",
    pod_cidrs=("10.244.1.0/24", "fd00:10:244:1::/64"),
    pods=("10.244.1.2", "10.244.1.3"),
)
CONFIG = ProxyConfig(
    cluster_cidrs=("10.244.0.0/16", "fd00:10:244::/48"), service_cidrs=("10.96.0.0/16", "fd00:10:96::/112")
)


def service(name: str, /, *ports: Json, status: Json | None = None, namespace: str = "shop", **spec: Any) -> Json:
    """A Service as the API server returns it; ``ports`` default to http 80."""
    ips = spec.setdefault("clusterIPs", ["10.96.7.7"])
    full = {
        "type": "ClusterIP",
        "clusterIP": ips[0] if ips else "",
        "ports": list(ports) or [port("http", 80)],
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
        **spec,
    }
    return {"metadata": {"name": name, "namespace": namespace}, "spec": full, "status": status or {"loadBalancer": {}}}


def port(name: str, number: int, protocol: str = "TCP", **more: Any) -> Json:
    return {"name": name, "port": number, "protocol": protocol, **more}


def slice_of(
    name: str,
    endpoints: list[Json] | None,
    *ports: Json,
    family: str = "IPv4",
    namespace: str = "shop",
    suffix: str = "x",
) -> Json:
    """An EndpointSlice of a Service; ``ports`` default to http 8080."""
    return {
        "metadata": {
            "name": f"{name}-{suffix}",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": family,
        "endpoints": endpoints,
        "ports": list(ports) or [port("http", 8080)],
    }


def endpoint(ip: str, node: str | None = "node1", *, hints: Json | None = None, **conditions: Any) -> Json:
    """An endpoint, ready unless ``conditions`` say otherwise."""
    told = {"ready": True, "serving": True, "terminating": False, **conditions}
    found: Json = {"addresses": [ip], "conditions": told}
    if node is not None:
        found["nodeName"] = node
    if hints is not None:
        found["hints"] = hints
    return found


def vip(*ips: str, mode: str | None = "VIP") -> Json:
    """The status of a load balancer."""
    return {"loadBalancer": {"ingress": [{"ip": ip, **({"ipMode": mode} if mode else {})} for ip in ips]}}


RICH = (
    [
        service("web", clusterIPs=["10.96.0.20", "fd00:10:96::20"]),
        service("empty", clusterIPs=["10.96.0.21", "fd00:10:96::21"]),
        service("sticky", clusterIPs=["10.96.0.22", "fd00:10:96::22"], sessionAffinity="ClientIP"),
        service("node", port("http", 80, nodePort=30080), type="NodePort", clusterIPs=["10.96.0.23", "fd00:10:96::23"]),
        service(
            "balancer",
            port("http", 80, nodePort=30081),
            port("dns", 53, "UDP", nodePort=30053),
            type="LoadBalancer",
            clusterIPs=["10.96.0.24", "fd00:10:96::24"],
            externalIPs=["198.51.100.7", "2001:db8::7"],
            externalTrafficPolicy="Local",
            healthCheckNodePort=31999,
            loadBalancerSourceRanges=["203.0.113.0/25", "203.0.113.128/25", "172.30.0.0/16", "2001:db8:1::/48"],
            sessionAffinity="ClientIP",
            sessionAffinityConfig={"clientIP": {"timeoutSeconds": 600}},
            status=vip("192.0.2.80", "192.0.2.81", "2001:db8::80"),
        ),
        service(
            "far",
            port("http", 80, nodePort=30082),
            type="LoadBalancer",
            clusterIPs=["10.96.0.25", "fd00:10:96::25"],
            externalIPs=["198.51.100.8"],
            externalTrafficPolicy="Local",
            internalTrafficPolicy="Local",
            loadBalancerSourceRanges=["203.0.113.9/32"],
            status=vip("192.0.2.82"),
        ),
        service(
            "gone",
            port("http", 80, nodePort=30083),
            type="LoadBalancer",
            clusterIPs=["10.96.0.26", "fd00:10:96::26"],
            externalIPs=["198.51.100.9"],
            loadBalancerSourceRanges=["203.0.113.0/24"],
            status=vip("192.0.2.83"),
        ),
        service("sctp", port("", 5000, "SCTP", nodePort=30500), type="NodePort", clusterIPs=["10.96.0.27"]),
        service("kubernetes", port("https", 443), namespace="default", clusterIPs=["10.96.0.1"]),
    ],
    [
        slice_of("web", [endpoint(f"10.244.1.{i}") for i in (2, 10)] + [endpoint("10.244.2.2", "node2")]),
        slice_of(
            "web", [endpoint("fd00:10:244:1::2"), endpoint("fd00:10:244:2::2", "node2")], family="IPv6", suffix="y"
        ),
        slice_of("sticky", [endpoint("10.244.1.3"), endpoint("10.244.2.3", "node2")]),
        slice_of("sticky", [endpoint("fd00:10:244:1::3")], family="IPv6", suffix="y"),
        slice_of("node", [endpoint("10.244.2.4", "node2")]),
        slice_of(
            "balancer",
            [endpoint("10.244.1.5"), endpoint("10.244.2.5", "node2"), endpoint("10.244.2.6", "node2")],
            port("http", 8080),
            port("dns", 5353, "UDP"),
        ),
        slice_of("balancer", [endpoint("fd00:10:244:1::5")], port("http", 8080), family="IPv6", suffix="y"),
        slice_of("far", [endpoint("10.244.2.7", "node2")]),
        slice_of("sctp", [endpoint("10.244.1.8")], port("", 5000, "SCTP")),
        slice_of("kubernetes", [endpoint("172.30.0.1", None)], port("https", 6443), namespace="default"),
    ],
)
"""Services and slices in which about everything is said that a Service can say."""

names = st.from_regex(r"[a-z]([a-z0-9-]{0,12}[a-z0-9])?", fullmatch=True)
pod_ips = st.tuples(st.integers(1, 3), st.integers(2, 250)).map(lambda pair: f"10.244.{pair[0]}.{pair[1]}")
conditions = st.fixed_dictionaries(
    {},
    optional={"ready": st.sampled_from([True, False, None]), "serving": st.booleans(), "terminating": st.booleans()},
)
hints = st.one_of(
    st.none(),
    st.fixed_dictionaries({"forZones": st.lists(st.sampled_from(["zone-1", "zone-2"]).map(lambda z: {"name": z}))}),
    st.fixed_dictionaries({"forNodes": st.lists(st.sampled_from(["node1", "node2"]).map(lambda n: {"name": n}))}),
)


@st.composite
def endpoints(draw: st.DrawFn) -> list[Json]:
    """Up to seven endpoints on three nodes in any condition."""
    ips = draw(st.lists(pod_ips, max_size=7))
    return [endpoint(ip, f"node{ip.split('.')[2]}", hints=draw(hints), **draw(conditions)) for ip in ips]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Json], list[Json]]:
    """A few Services of all kinds, each with a slice that may or may not fit."""
    services, slices = [], []
    for index, name in enumerate(draw(st.lists(names, min_size=1, max_size=4, unique=True))):
        kind = draw(st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"]))
        protocol = draw(st.sampled_from(["TCP", "UDP", "SCTP"]))
        node_port = {} if kind == "ClusterIP" else {"nodePort": 30000 + index}
        policies = st.sampled_from(["Cluster", "Local"])
        spec: Json = {
            "type": kind,
            "clusterIPs": [f"10.96.1.{index}"],
            "internalTrafficPolicy": draw(policies),
            "externalTrafficPolicy": draw(policies),
            "sessionAffinity": draw(st.sampled_from(["None", "ClientIP"])),
            "externalIPs": draw(st.sampled_from([[], [f"198.51.100.{index}"]])),
            "loadBalancerSourceRanges": draw(st.sampled_from([[], ["203.0.113.0/24"], ["172.30.0.0/16", "0.0.0.0/0"]])),
            "healthCheckNodePort": 32000 + index,
        }
        status = vip(f"192.0.2.{index}") if kind == "LoadBalancer" else None
        services.append(service(name, port("http", 80, protocol, **node_port), status=status, **spec))
        slices.append(slice_of(name, draw(endpoints()), port("http", 8080, protocol)))
    return services, slices
