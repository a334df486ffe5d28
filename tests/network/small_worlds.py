"""Hypothesis strategies: clusters of two namespaces and four pods, under a few policies of all kinds."""

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

KEYS, VALUES = ("a", "b"), ("1", "2", "")
LABELS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=2)
NAMESPACES = ("left", "right")
PORTS = (80, 81, 82)
PROTOCOLS = ("TCP", "UDP", "SCTP")
IPS = ("10.0.0.1", "10.0.0.2", "10.0.1.1", "fd00::1")
CIDRS = ("10.0.0.0/24", "10.0.0.0/16", "10.0.0.2/32", "0.0.0.0/0", "fd00::/64", "::/0")
HOLES = {"10.0.0.0/24": "10.0.0.2/32", "10.0.0.0/16": "10.0.0.0/24", "0.0.0.0/0": "10.0.0.0/8", "::/0": "fd00::1/128"}

REQUIREMENTS = st.builds(
    lambda key, values, operator: {
        "key": key,
        "operator": operator,
        **({"values": values} if operator in ("In", "NotIn") else {}),
    },
    st.sampled_from(KEYS),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=2),
    st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")),
)
SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(REQUIREMENTS, max_size=1)}
)


def a_list(items: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[Any]:
    return st.lists(items, max_size=most)


# -------------------------------------------------------------------------------------------------------- NetworkPolicy


@st.composite
def blocks(draw: st.DrawFn) -> Json:
    cidr = draw(st.sampled_from(CIDRS))
    holes = [HOLES[cidr]] if cidr in HOLES and draw(st.booleans()) else []
    return {"ipBlock": {"cidr": cidr, **({"except": holes} if holes else {})}}


PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": pods}, SELECTORS),
    st.builds(lambda namespaces: {"namespaceSelector": namespaces}, SELECTORS),
    st.builds(lambda pods, namespaces: {"podSelector": pods, "namespaceSelector": namespaces}, SELECTORS, SELECTORS),
    blocks(),
)
NUMBERS = st.one_of(
    st.just({}),
    st.builds(lambda port: {"port": port}, st.sampled_from((*PORTS, "web", "dns"))),
    st.builds(lambda low, more: {"port": low, "endPort": low + more}, st.sampled_from(PORTS), st.integers(0, 2)),
)
NP_PORTS = st.builds(
    lambda where, protocol: where | ({"protocol": protocol} if protocol else {}),
    NUMBERS,
    st.sampled_from(("", *PROTOCOLS)),
)


def np_rules(peers: str) -> st.SearchStrategy[Any]:
    return a_list(st.fixed_dictionaries({}, optional={peers: a_list(PEERS), "ports": a_list(NP_PORTS)}))


NP_SPECS = st.fixed_dictionaries(
    {},
    optional={
        "podSelector": SELECTORS,
        "ingress": np_rules("from"),
        "egress": np_rules("to"),
        "policyTypes": st.sampled_from((["Ingress"], ["Egress"], ["Ingress", "Egress"], [])),
    },
)
NETWORK_POLICIES = st.builds(
    lambda namespace, spec: {"kind": "NetworkPolicy", "metadata": {"namespace": namespace}, "spec": spec},
    st.sampled_from(NAMESPACES),
    NP_SPECS,
)


# --------------------------------------------------------------------------------------------------- cluster-wide kinds

PODS_OF = st.builds(
    lambda namespaces, pods: {"namespaceSelector": namespaces, "podSelector": pods}, SELECTORS, SELECTORS
)
SUBJECTS = st.one_of(
    st.builds(lambda namespaces: {"namespaces": namespaces}, SELECTORS), st.builds(lambda p: {"pods": p}, PODS_OF)
)
EGRESS_PEERS = SUBJECTS | st.builds(
    lambda cidrs: {"networks": cidrs}, st.lists(st.sampled_from(CIDRS), min_size=1, max_size=2)
)
RANGES = st.builds(lambda low: {"start": low, "end": low + 1}, st.sampled_from(PORTS))
V1ALPHA2_PORTS = st.one_of(
    st.builds(lambda name: {"destinationNamedPort": name}, st.sampled_from(("web", "dns"))),
    st.builds(
        lambda protocol, where: {protocol.lower(): {"destinationPort": where} if where else {}},
        st.sampled_from(PROTOCOLS),
        st.none()
        | st.builds(lambda number: {"number": number}, st.sampled_from(PORTS))
        | st.builds(lambda reach: {"range": reach}, RANGES),
    ),
)
WITH_PROTOCOL = st.fixed_dictionaries({}, optional={"protocol": st.sampled_from(PROTOCOLS)})
V1ALPHA1_PORTS = st.one_of(
    st.builds(lambda name: {"namedPort": name}, st.sampled_from(("web", "dns"))),
    st.builds(lambda port, more: {"portNumber": {"port": port, **more}}, st.sampled_from(PORTS), WITH_PROTOCOL),
    st.builds(lambda reach, more: {"portRange": {**reach, **more}}, RANGES, WITH_PROTOCOL),
)


def cluster_rules(peers: str, of: st.SearchStrategy[Any], accept: str, ports: st.SearchStrategy[Any]) -> Any:
    field = "protocols" if accept == "Accept" else "ports"
    return a_list(
        st.fixed_dictionaries(
            {"action": st.sampled_from((accept, "Deny", "Pass")), peers: st.lists(of, min_size=1, max_size=2)},
            optional={field: st.lists(ports, min_size=1, max_size=2)},
        )
    )


def cluster_specs(accept: str, ports: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"subject": SUBJECTS},
        optional={
            "ingress": cluster_rules("from", SUBJECTS, accept, ports),
            "egress": cluster_rules("to", EGRESS_PEERS, accept, ports),
        },
    )


CLUSTER_POLICIES = st.one_of(
    st.builds(
        lambda tier, spec: {"kind": "ClusterNetworkPolicy", "metadata": {}, "spec": {"tier": tier, **spec}},
        st.sampled_from(("Admin", "Baseline")),
        cluster_specs("Accept", V1ALPHA2_PORTS),
    ),
    st.builds(
        lambda kind, spec: {"kind": kind, "metadata": {}, "spec": spec},
        st.sampled_from(("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")),
        cluster_specs("Allow", V1ALPHA1_PORTS),
    ),
)


# --------------------------------------------------------------------------------------------------------------- worlds

CONTAINER_PORTS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(("web", "dns")),
            "port": st.sampled_from(PORTS),
            "protocol": st.sampled_from(PROTOCOLS),
        }
    ),
    max_size=2,
)


@st.composite
def worlds(draw: st.DrawFn, policies: st.SearchStrategy[Json]) -> Json:
    """As a case of the tables. Policies of one tier differ in priority; the v1alpha1 Baseline comes last."""
    namespaces = [{"name": name, "labels": draw(LABELS)} for name in NAMESPACES]
    pods = [
        {
            "name": f"p{number}",
            "ns": NAMESPACES[number % 2],
            "ip": ip,
            "labels": draw(LABELS),
            "ports": draw(CONTAINER_PORTS),
        }
        for number, ip in enumerate(IPS)
    ]
    drawn = draw(st.lists(policies, min_size=1, max_size=4))
    order = draw(st.permutations(range(len(drawn))))
    for number, (policy, priority) in enumerate(zip(drawn, order, strict=True)):
        policy["metadata"]["name"] = f"policy-{number}"
        if policy["kind"] != "NetworkPolicy":
            policy["spec"]["priority"] = priority
        if policy["kind"] == "BaselineAdminNetworkPolicy":
            policy["spec"]["priority"] = 2000 + number
    kept = [p for n, p in enumerate(drawn) if not _second_baseline(drawn, n)]
    return {"namespaces": namespaces, "pods": pods, "policies": kept}


def _second_baseline(policies: list[Json], number: int) -> bool:
    kind = "BaselineAdminNetworkPolicy"
    return policies[number]["kind"] == kind and any(each["kind"] == kind for each in policies[:number])
