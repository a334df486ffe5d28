"""What kube-proxy would have written on a node, and what the node around it shows.

Texts only, computed from Services and EndpointSlices: nothing touches a kernel. `node_files` gives a node's texts in a
snapshot's layout, `command` answers a program that is run in the kube-proxy pod from them.
"""

from .commands import KUBE_PROXY_IMAGE, NODE_TOOLS, command
from .files import node_files, stopped
from .settings import NodeView, Peer, ProxyConfig

__all__ = ["KUBE_PROXY_IMAGE", "NODE_TOOLS", "NodeView", "Peer", "ProxyConfig", "command", "node_files", "stopped"]
