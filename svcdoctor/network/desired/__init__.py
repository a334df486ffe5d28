"""What a node's rules must do with a packet, from the API's objects alone: kube-proxy 1.36 from first principles.

`fronts` says where a Service can be reached, `choose` which endpoints a node may use, `expect` what must become of a
packet. Nothing here has seen a rule.
"""

from .endpoints import Backend, backends
from .expectation import NO_ENDPOINTS, NO_LOCAL, Client, End, Expectation, expect
from .frontends import Front, Frontend, Kind, bound, fronts, is_served
from .node import Detector, Mode, Network, ProxyNode, networks, within
from .topology import Choice, choose

__all__ = [
    "NO_ENDPOINTS",
    "NO_LOCAL",
    "Backend",
    "Choice",
    "Client",
    "Detector",
    "End",
    "Expectation",
    "Front",
    "Frontend",
    "Kind",
    "Mode",
    "Network",
    "ProxyNode",
    "backends",
    "bound",
    "choose",
    "expect",
    "fronts",
    "is_served",
    "networks",
    "within",
]
