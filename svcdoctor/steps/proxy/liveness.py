"""Does a node's kube-proxy run, and do its rules get into the kernel?"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from ...model.case import Case
from ...model.diagnosis import Evidence
from ...model.node_rules import NodeRules
from ...model.pod import Pod
from ..words import ago, quote, source
from .configuration import NAMESPACE

LABEL = ("k8s-app", "kube-proxy")
NAME = "kube-proxy"
CONTAINER = "kube-proxy"
PATIENCE = timedelta(minutes=1)
"""For how long a change may wait: two of its periods, after which /healthz gives up too."""
FAILURES = (
    "kubeproxy_sync_proxy_rules_iptables_restore_failures_total",
    "kubeproxy_sync_proxy_rules_nftables_sync_failures_total",
)
LAST_SYNC = "kubeproxy_sync_proxy_rules_last_timestamp_seconds"
LAST_QUEUED = "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds"
FAILS = ("Failed to execute iptables-restore", "Sync failed", "nftables sync failed", "iptables-restore: line")
"""What it writes when the kernel refuses its rules."""


class State(StrEnum):
    DOWN = "down"  # there is none
    SILENT = "silent"  # it answers nobody
    FAILING = "failing"  # it runs, and the kernel refuses its rules
    FINE = "fine"
    UNKNOWN = "unknown"


class Liveness(Struct, frozen=True):
    """The state of one kube-proxy, with what shows it."""

    state: State
    evidence: tuple[Evidence, ...] = ()
    synced: datetime | None = None  # when its rules were last written
    pod: Pod | None = None


def liveness(case: Case, rules: NodeRules) -> Liveness:
    """How the kube-proxy of that node does."""
    pods = proxy_pods(case)
    mine = next((pod for pod in pods if pod.spec.node_name == rules.node), None)
    synced = rules.moment(LAST_SYNC)
    down = tuple(_down(case, rules.node, pods, mine))
    if down:
        return Liveness(State.DOWN, down, synced, mine)
    failing = tuple(_failing(case, rules, mine))
    if failing:
        return Liveness(State.FAILING, failing, synced, mine)
    said = bool(rules.health or rules.metrics or rules.mode or rules.configuration)
    if said:
        return Liveness(State.FINE, (), synced, mine)
    silent = tuple(_silent(case, rules.node))
    return Liveness(State.SILENT if silent else State.UNKNOWN, silent, None, mine)


def proxy_pods(case: Case) -> tuple[Pod, ...]:
    """The kube-proxy pods, where it is a pod."""
    found = (pod for pod in case.snapshot.pods.within(NAMESPACE) if not pod.terminal)
    return tuple(pod for pod in found if pod.labels.get(LABEL[0]) == LABEL[1] or _owner(pod) == NAME)


def _owner(pod: Pod) -> str:
    owner = pod.metadata.controller
    return owner.name if owner else ""


def _down(case: Case, node: str, pods: tuple[Pod, ...], mine: Pod | None) -> Iterator[Evidence]:
    """A node without the pod that others have; or a pod whose container does not run."""
    if mine is None:
        if pods and case.snapshot.pods.covers(NAMESPACE):
            yield Evidence(f"Pods of {NAMESPACE}", f"no kube-proxy on {node}, {len(pods)} on other nodes")
        return
    status = mine.container_status(CONTAINER)
    waiting = status.state.waiting if status else None
    ended = status.state.terminated if status else None
    if waiting:
        why = f"{waiting.reason} {waiting.message}"
        yield quote(source(mine, "status.containerStatuses[kube-proxy]"), f"waiting: {why}")
    elif ended:
        yield Evidence(source(mine, "status.containerStatuses[kube-proxy]"), f"ended with exit code {ended.exit_code}")


def _failing(case: Case, rules: NodeRules, pod: Pod | None) -> Iterator[Evidence]:
    """/healthz is not believed when it says 200: a first sync that fails is none of its business."""
    place = f"Node {rules.node}: kube-proxy /metrics"
    failures = max((rules.metric(name) or 0.0) for name in FAILURES)
    synced, queued = rules.moment(LAST_SYNC), rules.moment(LAST_QUEUED)
    waits = queued is not None and (synced is None or queued > synced)
    since = synced or queued
    if waits and (failures or (queued and case.age(queued) > PATIENCE)):
        yield Evidence(place, f"{failures:.0f} syncs have failed" if failures else "a change waits to be written")
        yield Evidence(place, f"rules were last written {ago(case.age(synced))} ago" if synced else "never written")
    elif rules.health and rules.health.healthy is False:
        yield Evidence(
            f"Node {rules.node}: kube-proxy /healthz", "not healthy" + (f", {ago(case.age(since))}" if since else "")
        )
    else:
        return
    if pod is not None:
        log = case.snapshot.logs.get((pod.namespace, pod.name, CONTAINER), "")
        lines = [
            line for line in log.splitlines() if any(words in line for words in (*FAILS, "Error occurred at line"))
        ]
        for line in lines[-2:]:
            yield quote(f"log of Pod {pod.namespace}/{pod.name}", line)


def _silent(case: Case, node: str) -> Iterator[Evidence]:
    """Its ports were asked, and did not answer; that they may not be asked says nothing."""
    for gap in case.snapshot.gaps:
        if gap.what.startswith(f"nodes/{node}/proxy-") and gap.permission is None:
            yield quote(gap.what, gap.why)
            return
    others = [rules for name, rules in case.snapshot.node_rules.items() if name != node]
    if any(rules.health or rules.metrics for rules in others):
        yield Evidence(f"Node {node}", "kube-proxy says nothing on its ports, on other nodes it does")
