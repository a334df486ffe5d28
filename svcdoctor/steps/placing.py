"""Whether a pod was given a node and an address: before that nothing else can be asked of it."""

from datetime import timedelta

from ..model.case import Case
from ..model.cluster import Event
from ..model.diagnosis import Evidence
from ..model.pod import Pod
from .words import ago, quote, source

SANDBOX = "FailedCreatePodSandBox"
PATIENCE = timedelta(seconds=10)
"""What a scheduler may take before its silence says something."""


def unplaced(case: Case, pod: Pod) -> Evidence | None:
    """What says that ``pod`` has no node or can get no address; None when it has both, or only just began."""
    if pod.terminal or pod.terminating:
        return None
    if not pod.spec.node_name:
        scheduled = pod.condition("PodScheduled")
        if scheduled is not None and scheduled.status != "True":
            why = scheduled.message or scheduled.reason or "False"
            return quote(source(pod, "status.conditions[PodScheduled]"), why)
        if case.age(pod.metadata.creation_timestamp) > PATIENCE:
            return Evidence(source(pod, "spec.nodeName"), "none, and no scheduler has said why")
    elif not pod.addresses:
        sandbox = next(iter(case.events_of("Pod", pod.name, SANDBOX)), None)
        if sandbox is not None:
            return told(case, sandbox)
    return None


def told(case: Case, event: Event) -> Evidence:
    """An event as evidence: on what, how often, how long ago, what it says."""
    about = event.involved_object
    when = f", last {ago(case.age(event.last_seen))} ago" if event.last_seen else ""
    return quote(f"Event {event.reason} on {about.kind} {about.name}", f"{event.times}x{when}: {event.message}")
