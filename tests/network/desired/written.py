"""The lab's writer of rules, made ready to be judged: its texts are read back, and its objects with them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from svcdoctor.lab.proxy import NodeView, ProxyConfig, node_files
from svcdoctor.model.cluster import Node
from svcdoctor.model.node_rules import NodeRules, read
from svcdoctor.model.service import EndpointSlice, Service
from svcdoctor.network.compare import Around, NodeCheck, check, host_of, mode_of, proxy_node, read_rules
from svcdoctor.network.desired import fronts, networks
from svcdoctor.network.walk import Walker

Json = dict[str, Any]
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def rules_of(services: list[Json], slices: list[Json], view: NodeView, config: ProxyConfig) -> NodeRules:
    files = node_files(services, slices, view, config, NOW)
    return read(view.name, {name: text.encode() for name, text in files.items()})


def node_of(view: NodeView) -> Node:
    """The API's object of the node."""
    return msgspec.convert(
        {
            "metadata": {"name": view.name, "labels": {"topology.kubernetes.io/zone": view.zone}},
            "spec": {"podCIDRs": view.pod_cidrs},
            "status": {"addresses": [{"type": "InternalIP", "address": ip} for ip in view.addresses]},
        },
        Node,
    )


def checks(services: list[Json], slices: list[Json], view: NodeView, rules: NodeRules) -> Iterator[NodeCheck]:
    """What is found of each Service in each family."""
    read_slices = [msgspec.convert(each, EndpointSlice) for each in slices]
    readout = read_rules(rules)
    assert not readout.errors
    assert rules.configuration is not None
    mode = mode_of(rules)
    assert mode is not None
    for v6 in (False, True):
        host = host_of(rules, v6)
        walker = Walker(readout.ruleset, host)
        node = proxy_node(rules, node_of(view), rules.configuration, mode, v6)
        pods = tuple(pod for pod in view.pods if (":" in pod) is v6)
        elsewhere = ("fd00:10:244:2::99",) if v6 else ("10.244.2.99",)
        around = Around(pods, networks(view.pod_cidrs, v6), elsewhere, host.routes)
        for each in services:
            service = msgspec.convert(each, Service)
            mine = [s for s in read_slices if (s.namespace, s.service_name) == (service.namespace, service.name)]
            yield check(fronts(service, v6), mine, node, walker, around)


def told(found: NodeCheck) -> list[str]:
    """The differences in words."""
    return [f"{d.kind} at {d.frontend} from {d.client}: {d.place} {d.outcome}" for d in found.differences]
