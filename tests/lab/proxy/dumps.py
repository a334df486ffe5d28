"""Recorded nodes beside what the lab writes for them.

``recorded.json.xz`` holds the dumps of real nodes, by "<case>/<node>" and file name; the Services and slices that they
were programmed from are those of ``tests/cases``. A node's rules hold more Services than a case has: all scenarios
ran in one cluster.
"""

import json
import lzma
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from svcdoctor.lab.proxy import NodeView, ProxyConfig, node_files

Json = dict[str, Any]
HERE = Path(__file__).parent
CASES = HERE.parents[1] / "cases"
AT = datetime(2026, 11, 23, 2, 36, 22, tzinfo=UTC)

STALE = {"iptables-proxy-stale/node1", "nftables-proxy-stale/node1"}
"""Nodes whose kube-proxy had stopped before the Service stale/orders changed."""
FORWARD_DROP = {"iptables-forward-drop/node1", "nftables-forward-drop/node1"}


@cache
def recorded() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(lzma.decompress((HERE / "recorded.json.xz").read_bytes()))
    return found


def nodes(mode: str) -> list[str]:
    """The recorded nodes of a mode."""
    return [key for key in recorded() if key.startswith(mode)]


def objects(case: str, path: str) -> list[Json]:
    """The objects of a case whose file matches ``path`` below its api folder."""
    found: list[Json] = []
    for file in sorted((CASES / case / "api").glob(path)):
        found += json.loads(file.read_text())["items"] or []
    return found


def services(key: str) -> list[Json]:
    return objects(key.partition("/")[0], "api/v1/namespaces/*/services.json")


def slices(key: str) -> list[Json]:
    return objects(key.partition("/")[0], "apis/discovery.k8s.io/v1/namespaces/*/endpointslices.json")


def view(key: str) -> NodeView:
    """The recorded node as the lab would describe it."""
    case, _, name = key.partition("/")
    node = next(one for one in objects(case, "api/v1/nodes.json") if one["metadata"]["name"] == name)
    addresses = [one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP"]
    return NodeView(
        name=name,
        addresses=tuple(addresses),
        zone=node["metadata"]["labels"]["topology.kubernetes.io/zone"],
        pod_cidrs=(f"10.244.{name.removeprefix('node')}.0/24",),
        forward_policy="DROP" if key in FORWARD_DROP else "ACCEPT",
    )


def written(key: str) -> dict[str, str]:
    """What the lab writes for a recorded node of iptables or nftables mode."""
    mode: Any = key.partition("-")[0]
    config = ProxyConfig(mode=mode, service_cidrs=("10.96.0.0/12",))
    return node_files(services(key), slices(key), view(key), config, AT)


def written_ipvs(scheduler: str) -> dict[str, str]:
    """What the lab writes for the recorded ipvs node, which has neither kubelet nor CNI."""
    api = recorded()["ipvs/rr"]
    config = ProxyConfig(mode="ipvs", scheduler=scheduler, strict_arp=True)
    node = NodeView(name="ipvs1", addresses=("10.0.2.15",), kubelet=False, bridge=False)
    lists = [json.loads(api[name])["items"] for name in ("services.json", "endpointslices.json")]
    return node_files(lists[0], lists[1], node, config, AT)


Chains = dict[tuple[str, str], list[str]]


def chains(saved: str) -> Chains:
    """The rules of an iptables-save text by table and chain, counters left out."""
    found: Chains = {}
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            found[table, line[1:].split()[0]] = []
        elif line and not line.startswith("#") and line != "COMMIT":
            rule = re.sub(r"^\[\d+:\d+\] ", "", line)
            found[table, rule.split()[1]].append(rule)
    return found


def policies(saved: str) -> list[str]:
    """The chains of an iptables-save text with their policies, in order."""
    return [line.rpartition(" [")[0] for line in saved.splitlines() if line.startswith((":", "*"))]
