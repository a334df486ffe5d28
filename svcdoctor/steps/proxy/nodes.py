"""Every node whose rules were read, with what the Service finds there."""

from datetime import datetime, timedelta
from functools import cached_property
from ipaddress import ip_address

from msgspec import Struct

from ...model.case import Case
from ...model.cluster import Node
from ...model.diagnosis import Subject
from ...model.meta import each
from ...model.node_rules import NodeRules, ProxyConfiguration
from ...model.pod import Pod
from ...model.service import TRIGGER_TIME_ANNOTATION, Service
from ...network.compare import (
    Around,
    Difference,
    Kind,
    NodeCheck,
    Readout,
    Refusal,
    check,
    host_of,
    lacking,
    mode_of,
    proxy_node,
    read_rules,
)
from ...network.desired import Client, Mode, ProxyNode, fronts, networks
from ...network.desired import Kind as Front
from ...network.packet import Host, Origin
from ...network.walk import Walker
from .configuration import configured, usual
from .liveness import Liveness, liveness, proxy_pods

GRACE = timedelta(seconds=10)
"""What reading, the API's own watches and one sync may take together."""


class Half(Struct, frozen=True):
    """One IP family of a node."""

    node: ProxyNode
    host: Host
    around: Around
    check: NodeCheck


class Seen:
    """One node. What it has of the Service is worked out when it is asked for."""

    def __init__(self, case: Case, service: Service, rules: NodeRules) -> None:
        self.case, self.service, self.rules = case, service, rules
        self.name = rules.node
        self.object: Node | None = case.nodes.get(rules.node)
        self.told = configured(case.snapshot, rules)
        self.liveness: Liveness = liveness(case, rules)
        self.mode = mode_of(rules) or self._mode_of_others()

    def _mode_of_others(self) -> Mode | None:
        """A node without any trace of kube-proxy ought to have one where others have."""
        told = usual(self.case.snapshot)
        return Mode(told.mode or Mode.IPTABLES) if told and told.mode in ("", *Mode) and proxy_pods(self.case) else None

    @property
    def configuration(self) -> ProxyConfiguration:
        return self.told or ProxyConfiguration()

    @cached_property
    def readout(self) -> Readout:
        return read_rules(self.rules)

    @cached_property
    def halves(self) -> tuple[Half, ...]:
        """IPv4 and IPv6, as far as the Service has them."""
        if self.mode is None or self.blind:
            return ()
        return tuple(self._half(self.mode, v6) for v6 in self._families if not lacking(self.rules, self.mode, v6))

    @property
    def _families(self) -> tuple[bool, ...]:
        return tuple(v6 for v6 in (False, True) if fronts(self.service, v6))

    @cached_property
    def blind(self) -> tuple[str, ...]:
        """Why nothing can be said of the node."""
        hinted = any(entry.hints for each_slice in self.case.slices for entry in each(each_slice.endpoints))
        zone = ("its zone was not read, and endpoints are meant for zones",) if hinted and not self.object else ()
        return (*self.readout.errors, *zone)

    def _half(self, mode: Mode, v6: bool) -> Half:
        host = host_of(self.rules, v6)
        node = proxy_node(self.rules, self.object, self.configuration, mode, v6)
        around = self._around(v6, host)
        walker = Walker(self.readout.ruleset, host)
        return Half(node, host, around, check(fronts(self.service, v6), self.case.slices, node, walker, around))

    def _around(self, v6: bool, host: Host) -> Around:
        pods: dict[bool, list[str]] = {True: [], False: []}
        for pod in self.case.snapshot.pods.items:
            if not pod.terminal and not pod.spec.host_network and pod.spec.node_name:
                own = [ip for ip in pod.addresses if _is_v6(ip) is v6]
                there = pods[pod.spec.node_name == self.name]
                there[:] = own + there if self._is_client(pod) else there + own
        cidrs = each(self.object.spec.pod_cidrs) if self.object else ()
        return Around(tuple(pods[True]), networks(cidrs, v6), tuple(pods[False]), host.routes)

    def _is_client(self, pod: Pod) -> bool:
        client = self.case.target.client
        return client == Subject("Pod", pod.namespace, pod.name)

    def is_real(self, client: Client) -> bool:
        """Whether the client is there; rules of network plugins know the pods that are."""
        return client.origin is not Origin.POD or any(client.address in half.around.pods for half in self.halves)

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        found = tuple(difference for half in self.halves for difference in half.check.differences)
        return tuple(difference for difference in found if self._can_tell(difference))

    def _can_tell(self, difference: Difference) -> bool:
        """Without its configuration it is not known whom kube-proxy takes for a pod."""
        if difference.kind is Kind.MASQUERADE:
            return False  # nothing fails by it, and flags may ask for it
        if self.told is not None:
            return True
        return difference.kind is not Kind.NO_MASQUERADE and difference.frontend.kind is Front.CLUSTER_IP

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(refusal for half in self.halves for refusal in half.check.refusals)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What could not be followed, or not read."""
        missing = (name for v6 in self._families for name in (lacking(self.rules, self.mode, v6) if self.mode else ()))
        followed = (why for half in self.halves for why in half.check.unknown)
        return (*self.blind, *(f"{name} was not read" for name in missing), *followed)

    @property
    def grace(self) -> timedelta:
        """How young a change may be that is not in the rules yet."""
        return GRACE + 2 * self.configuration.min_sync_period


def _is_v6(address: str) -> bool:
    try:
        return ip_address(address).version == 6
    except ValueError:
        return False


def last_change(case: Case, service: Service) -> datetime | None:
    """When the Service, its slices or its pods last changed, as far as they tell."""
    moments = [service.metadata.creation_timestamp, *(field.time for field in service.metadata.managed_fields)]
    for each_slice in case.slices:
        moments += [each_slice.metadata.creation_timestamp, _moment(each_slice.metadata.annotations)]
    for pod in case.matched:
        moments.append(_left(pod))
        moments += [condition.last_transition_time for condition in pod.status.conditions if condition.type == "Ready"]
    return max((moment for moment in moments if moment is not None and moment <= case.now), default=None)


def _left(pod: Pod) -> datetime | None:
    """When a pod was asked to go: its deletionTimestamp is when its time is up."""
    seconds = pod.spec.termination_grace_period_seconds
    deadline = pod.metadata.deletion_timestamp
    return deadline - timedelta(seconds=USUAL_GRACE if seconds is None else seconds) if deadline else None


USUAL_GRACE = 30


def _moment(annotations: dict[str, str]) -> datetime | None:
    try:
        found = datetime.fromisoformat(annotations.get(TRIGGER_TIME_ANNOTATION, ""))
    except ValueError:
        return None
    return found if found.tzinfo else None


def seen(case: Case, service: Service) -> tuple[Seen, ...]:
    """Every node that has rules to look at, the client's first."""
    nodes = [Seen(case, service, rules) for _, rules in sorted(case.snapshot.node_rules.items()) if rules.has_rules]
    home = client_node(case)
    return tuple(sorted(nodes, key=lambda node: node.name != home))


def client_node(case: Case) -> str:
    """The node from which the client's packets start; empty if that is not known."""
    client = case.target.client
    if client is None:
        return ""
    if client.kind == "Node":
        return client.name
    pod = case.snapshot.pods.get(client.namespace, client.name)
    return pod.spec.node_name if pod else ""
