"""Faults of whoever calls, and of connections that outlive a change (S8)."""

from ..base import deployment, pod_spec, server
from .endpoints import selector
from .exposure import VIP
from .fault import Apply, Delete, Fault, Flow, Wait
from .leftovers import GONE
from .proxy import CLIENT, draining, load_balancer, made_anew, sysctl
from .service import HTTP, ports

EARLIER = "10.96.0.76"
"""The ClusterIP that the patient once had."""
NAT = "198.51.100.7"
"""The address behind which all clients outside are."""

FAULTS = (
    Fault(
        "client-dns-cache",
        "the Service was made anew, and the client still dials its old ClusterIP",
        (
            *made_anew(EARLIER),
            Wait(60),
            *made_anew(),
            Wait(60),
            Flow(CLIENT, EARLIER, EARLIER, 4, target_port=80, state="SYN_SENT", replied=False),
        ),
        client=CLIENT,
    ),
    Fault(
        "affinity-stuck",
        "ipvs keeps the client with a pod that is gone, for as long as affinity lasts",
        (
            *made_anew(sessionAffinity="ClientIP"),
            sysctl("node1", net__ipv4__vs__expire_quiescent_template="0"),
            *draining(active=2, inactive=3),
            Flow(CLIENT, "web", GONE[1], 2, state="SYN_SENT", replied=False),
        ),
        client=CLIENT,
        modes=("ipvs",),
    ),
    Fault(
        "affinity-nat",
        "ClientIP affinity, and all clients come from one address: one pod gets all",
        (
            *load_balancer(VIP, sessionAffinity="ClientIP"),
            Flow(NAT, VIP, "web-", 48, 1, node="node1"),
        ),
    ),
    Fault(
        "keepalive-skew",
        "the client keeps a few long connections, all of them to one pod",
        (ports({**HTTP, "appProtocol": "kubernetes.io/h2c"}), Flow(CLIENT, "web", "web-", 6, 1)),
        client=CLIENT,
    ),
    Fault(
        "switch-sticky",
        "the selector was switched to green, and connections to blue pods live on",
        (
            Delete("deployments", "web"),
            Apply(
                tuple(
                    deployment(f"web-{color}", 3, {"app": "web", "version": color}, pod_spec(server()))
                    for color in ("blue", "green")
                )
            ),
            selector(version="blue"),
            Wait(120),
            Flow(CLIENT, "web", "web-blue-", 4),
            selector(version="green"),
        ),
        client=CLIENT,
    ),
    Fault(
        "canary-skew",
        "one pod of ten is the canary, and it gets half of the connections",
        (
            Delete("deployments", "web"),
            Apply(
                (
                    deployment("stable", 9, {"app": "web", "track": "stable"}, pod_spec(server())),
                    deployment("canary", 1, {"app": "web", "track": "canary"}, pod_spec(server())),
                )
            ),
            Wait(60),
            Flow(CLIENT, "web", "stable-", 60, state="TIME_WAIT"),
            Flow(CLIENT, "web", "canary-", 60, state="TIME_WAIT"),
        ),
        client=CLIENT,
    ),
)
