"""Pods whose containers are well but which are not Ready: a gate, or a node that went silent."""

from datetime import timedelta

from ...model.case import Case
from ...model.diagnosis import Confidence, Evidence, Fix, Rule, RuledOut, Severity
from ...model.pod import Pod
from ..words import ago, kubectl, quote, source
from .containers import CONTAINER_NOT_STARTING
from .probes import STARTUP_PENDING
from .trouble import Failing, Trouble

READINESS_GATE = Rule(
    "SVC304",
    "readiness-gate",
    Severity.ERROR,
    "readiness",
    "All containers are ready, but a readiness gate's condition is not True (KEP-580).",
    "Whoever sets that condition (a load balancer controller, mostly) has not done so.",
    "Repair that controller, or take the gate out of the pod template.",
)
NODE_NOTREADY = Rule(
    "SVC308",
    "node-notready",
    Severity.ERROR,
    "readiness",
    "The pods' node is not Ready, so the pods on it are marked not Ready whatever their containers do.",
    "The kubelet is down, or its node lost the network, memory or disk.",
    "Recover the node, or drain it so that the pods are made elsewhere.",
)
RULES = (READINESS_GATE, NODE_NOTREADY)

SETTING_UP = timedelta(minutes=1)
"""How long a pod may take to get its containers running before that is news."""


def node_trouble(case: Case, pod: Pod) -> Trouble | None:
    """The node of ``pod``, if that is not Ready."""
    node = case.nodes.get(pod.spec.node_name)
    condition = node.condition("Ready") if node else None
    if node is None or condition is None or condition.status == "True":
        return None
    since = ago(case.age(condition.last_transition_time))
    said = f"{condition.status} for {since}: {condition.reason or ''} {condition.message or ''}".strip()
    return Trouble(
        NODE_NOTREADY,
        f"node {node.name} is not Ready ({condition.reason or condition.status})",
        (
            quote(source(node, "status.conditions[Ready]"), said),
            Evidence(source(pod, "spec.nodeName"), node.name),
        ),
        Fix(
            "Recover the node; or drain it, so that its pods are made anew elsewhere.",
            f"kubectl describe node {node.name}",
        ),
        ruled_out=(RuledOut("probe-failing", "the node's other pods are marked not Ready with it"),),
    )


def init_trouble(case: Case, pod: Pod, failing: Failing) -> Trouble | None:
    """An init container that is at work: the others wait for its end."""
    running = failing.status.state.running if failing.init and failing.status else None
    if running is None:
        return None
    name = failing.container.name
    since = ago(case.age(running.started_at))
    return Trouble(
        STARTUP_PENDING,
        f"init container {name} is still at work",
        (Evidence(source(pod, f"status.initContainerStatuses[{name}]"), f"running for {since}"),),
        Fix("Wait for its end, or see what it waits for.", kubectl(pod.namespace, "logs", pod.name, "-c", name)),
        ruled_out=(RuledOut("crash-loop", f"it has been running for {since}"),),
    )


def gate_trouble(case: Case, pod: Pod) -> Trouble | None:
    """The first readiness gate of ``pod`` whose condition is not True."""
    for gate in pod.spec.readiness_gates:
        condition = pod.condition(gate.condition_type)
        if condition is not None and condition.status == "True":
            continue
        if condition is None:
            state = "is missing: nobody has ever set it"
        else:
            state = f"is {condition.status}" + (f" ({condition.reason})" if condition.reason else "")
        said = f": {condition.message}" if condition and condition.message else ""
        return Trouble(
            READINESS_GATE,
            f"readiness gate {gate.condition_type} {state}",
            (
                Evidence(source(pod, "spec.readinessGates"), gate.condition_type),
                quote(source(pod, f"status.conditions[{gate.condition_type}]"), state + said),
                Evidence(source(pod, "status.conditions[ContainersReady]"), "True"),
            ),
            Fix(
                f"Repair the controller that sets {gate.condition_type}, or take the gate out of the pod template.",
                kubectl(pod.namespace, "get", "pod", pod.name, "-o", "jsonpath={.status.conditions}"),
            ),
            ruled_out=(RuledOut("probe-failing", "all containers are ready"),),
        )
    return None


def unexplained(case: Case, pod: Pod) -> Trouble:
    """A pod that is not Ready, and nothing that was read says why."""
    age = case.age(pod.metadata.creation_timestamp)
    state = Evidence(source(pod, "status.phase"), f"{pod.status.phase or 'unknown'}, {ago(age)} old")
    look = kubectl(pod.namespace, "describe", "pod", pod.name)
    if age < SETTING_UP:
        return Trouble(STARTUP_PENDING, "the pod is being set up", (state,), Fix("Wait, and look again.", look))
    return Trouble(
        CONTAINER_NOT_STARTING,
        "the pod does not come up, and nothing that was read says why",
        (state,),
        Fix("See what the kubelet and the events say of it.", look),
        Confidence.POSSIBLE,
        gap=case.need("events"),
    )


def silent_trouble(case: Case, pod: Pod) -> Trouble | None:
    """Containers ready, no gate in the way, and still not Ready: only the node controller writes that."""
    containers = pod.condition("ContainersReady")
    ready = pod.condition("Ready")
    if containers is None or containers.status != "True" or ready is None or ready.status == "True":
        return None
    return Trouble(
        NODE_NOTREADY,
        f"node {pod.spec.node_name} has probably gone silent",
        (
            Evidence(source(pod, "status.conditions[Ready]"), f"{ready.status} {ready.reason or ''}".strip()),
            Evidence(source(pod, "status.conditions[ContainersReady]"), "True: the kubelet found its containers ready"),
        ),
        Fix("See whether the node is Ready.", f"kubectl describe node {pod.spec.node_name}"),
        Confidence.POSSIBLE,
        gap=case.need("nodes", ""),
    )
