"""Failure modes that have no fault here, and why."""

from collections.abc import Mapping

SILENT: Mapping[str, str] = {
    "reject-no-endpoints": "what a node shows of every Service without endpoints, never a cause: see scaled-to-zero",
    "headless-none-ready": "what a headless name does when no endpoint is ready, never a cause: see probe-failing",
    "dns-5s-race": "needs real packets: two questions at once race for one entry of the kernel's conntrack table",
    "externalname-host-sni": "needs a web server outside of the cluster, and a client that speaks TLS to it",
    "vxlan-offload": "needs real packets: the network card spoils their checksums, and no setting that is read tells",
    "nodeport-firewall": "needs real packets: the firewall is outside of the cluster, which has no trace of it",
    "mesh-mtls": "needs a service mesh: whether plain text is refused stands in kinds that are not served here",
    "windows-gap": "needs a Windows node",
}
"""Name in the catalogue of failure modes -> the reason."""
