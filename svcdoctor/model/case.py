"""A Case: a Snapshot seen from one target, with the look-ups that steps share.

Steps ask "which endpoints does this Service have", never "which JSON says so". Nothing here judges.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from msgspec import Struct

from .cluster import Event, Node, Workload
from .diagnosis import Target
from .meta import Object, each
from .pod import Pod
from .service import SERVICE_NAME_LABEL, EndpointSlice, Service, ServicePort, SliceEndpoint, SlicePort
from .snapshot import Gap, Snapshot


class Endpoint(Struct, frozen=True):
    """One address of one slice, as kube-proxy reads it: nil ``ready`` and ``serving`` are true."""

    address: str
    entry: SliceEndpoint
    slice: EndpointSlice
    pod: Pod | None  # the pod that targetRef names, if it was read

    @property
    def ready(self) -> bool:
        return self.entry.conditions.ready is not False

    @property
    def serving(self) -> bool:
        serving = self.entry.conditions.serving
        return self.ready if serving is None else serving

    @property
    def terminating(self) -> bool:
        return self.entry.conditions.terminating is True

    @property
    def pod_name(self) -> str:
        ref = self.entry.target_ref
        return ref.name if ref and ref.kind == "Pod" else ""


class WorkloadRef(Struct, frozen=True):
    """A workload by kind and name: what ``kubectl`` calls ``deployment/web``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Case:
    """``snapshot`` seen from ``target``."""

    def __init__(self, snapshot: Snapshot, target: Target) -> None:
        self.snapshot = snapshot
        self.target = target

    # ------------------------------------------------------------------------------------------------- the Service

    @cached_property
    def service(self) -> Service | None:
        return self.snapshot.services.get(self.target.namespace, self.target.name)

    @cached_property
    def unread(self) -> Gap | None:
        """Why it is not known whether the Service exists; None when it is known."""
        namespace, name = self.target.namespace, self.target.name
        if self.snapshot.services.knows(namespace, name):
            return None
        whole = self.snapshot.gap("services", namespace)
        return next((gap for gap in self.snapshot.gaps if gap.what == f"{whole.what}/{name}"), whole)

    @property
    def selector(self) -> Mapping[str, str]:
        return self.service.spec.selector if self.service else {}

    @property
    def headless(self) -> bool:
        return self.service is not None and self.service.spec.cluster_ip == "None"

    @property
    def external_name(self) -> bool:
        return self.service is not None and self.service.spec.type == "ExternalName"

    @cached_property
    def slices(self) -> tuple[EndpointSlice, ...]:
        """The slices that carry the Service's label: the ones that kube-proxy reads."""
        return tuple(
            s for s in self.snapshot.endpointslices.within(self.target.namespace) if s.service_name == self.target.name
        )

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every address of every slice; one address may stand in several slices."""
        return tuple(
            Endpoint(address, entry, each_slice, self._pod_of(entry))
            for each_slice in self.slices
            if each_slice.address_type != "FQDN"
            for entry in each(each_slice.endpoints)
            for address in entry.addresses[:1]  # consumers must use the first address only (discovery/v1 Endpoint)
        )

    @cached_property
    def usable(self) -> tuple[Endpoint, ...]:
        """The ready endpoints that at least one port leads to; all of a headless Service, for DNS asks no port."""
        ports = self.service.spec.ports if self.service and not self.headless else ()
        ready = (endpoint for endpoint in self.endpoints if endpoint.ready)
        return tuple(e for e in ready if not ports or any(slice_port(e.slice, port) for port in ports))

    def _pod_of(self, entry: SliceEndpoint) -> Pod | None:
        ref = entry.target_ref
        if ref is None or ref.kind != "Pod":
            return None
        pod = self.pods_by_name.get(ref.name)
        return pod if pod and (not ref.uid or not pod.metadata.uid or ref.uid == pod.metadata.uid) else None

    # ---------------------------------------------------------------------------------------------------- the pods

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """The pods of the Service's namespace, as far as they were read."""
        return self.snapshot.pods.within(self.target.namespace)

    @cached_property
    def pods_by_name(self) -> Mapping[str, Pod]:
        return {pod.name: pod for pod in self.pods}

    @cached_property
    def matched(self) -> tuple[Pod, ...]:
        """The namespace's pods that the selector matches, in any state. An empty selector matches none."""
        return tuple(pod for pod in self.pods if matches(self.selector, pod.labels))

    @cached_property
    def backends(self) -> tuple[Pod, ...]:
        """The matched pods that have not run to their end: the ones that the endpoint controller considers."""
        return tuple(pod for pod in self.matched if not pod.terminal)

    @cached_property
    def pods_known(self) -> bool:
        """Whether the pods that the selector matches were read: all of the namespace's, or just those."""
        reading = self.snapshot.pods
        wanted = (self.target.namespace, selector_query(self.selector))
        return reading.covers(self.target.namespace) or wanted in reading.selected

    @cached_property
    def slices_known(self) -> bool:
        """Whether the Service's slices were read: all of the namespace's, or just those with its label."""
        reading = self.snapshot.endpointslices
        wanted = (self.target.namespace, f"labelSelector={SERVICE_NAME_LABEL}={self.target.name}")
        return reading.covers(self.target.namespace) or wanted in reading.selected

    def need(self, resource: str, namespace: str | None = None) -> Gap | None:
        """None when the whole list was read, else the gap that says why not."""
        place = self.target.namespace if namespace is None else namespace
        reading = getattr(self.snapshot, resource)
        return None if reading.covers(place) else self.snapshot.gap(resource, place)

    # ----------------------------------------------------------------------------------------------- what is around

    @cached_property
    def workloads(self) -> Mapping[WorkloadRef, Workload]:
        """Deployments, StatefulSets, DaemonSets and ReplicaSets of the namespace."""
        read = self.snapshot
        found: list[Workload] = []
        for reading in (read.deployments, read.statefulsets, read.daemonsets, read.replicasets):
            found += reading.within(self.target.namespace)
        return {WorkloadRef(type(workload).__name__, workload.name): workload for workload in found}

    def workload_of(self, item: Object) -> WorkloadRef | None:
        """The topmost controller above ``item``: a pod's Deployment, not its ReplicaSet. None for a bare pod.

        An owner that was not read counts as the top, but a Deployment is known by its ReplicaSet's name.
        """
        top: WorkloadRef | None = None
        seen: set[WorkloadRef] = set()
        owner = item.metadata.controller
        while owner is not None and (ref := WorkloadRef(owner.kind, owner.name)) not in seen:
            seen.add(ref)
            top = ref
            above = self.workloads.get(ref)
            owner = above.metadata.controller if above else None
        if top and top.kind == "ReplicaSet" and top not in self.workloads:
            template_hash = item.labels.get("pod-template-hash", "")
            if template_hash and top.name.endswith(f"-{template_hash}"):
                return WorkloadRef("Deployment", top.name.removesuffix(f"-{template_hash}"))
        return top

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.snapshot.nodes.items}

    def events_of(self, kind: str, name: str, reason: str | None = None) -> tuple[Event, ...]:
        """The events of one object of the namespace, newest first."""
        found = self._events.get((kind, name), ())
        return tuple(event for event in found if reason is None or event.reason == reason)

    @cached_property
    def _events(self) -> Mapping[tuple[str, str], tuple[Event, ...]]:
        piles: dict[tuple[str, str], list[Event]] = {}
        for event in self.snapshot.events.within(self.target.namespace):
            piles.setdefault((event.involved_object.kind, event.involved_object.name), []).append(event)
        return {key: tuple(sorted(pile, key=_newest_first)) for key, pile in piles.items()}

    # -------------------------------------------------------------------------------------------------------- time

    @property
    def now(self) -> datetime:
        return self.snapshot.taken_at

    def age(self, moment: datetime | None) -> timedelta:
        """How long ago ``moment`` was; zero for what is unknown or, the clock being wrong, yet to come."""
        return max(self.now - moment, timedelta()) if moment else timedelta()


def _newest_first(event: Event) -> float:
    return -event.last_seen.timestamp() if event.last_seen else 0.0


def matches(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a Service's selector matches; an empty one matches nothing (the Service then has no controller)."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def selector_query(selector: Mapping[str, str]) -> str:
    """The list query that asks for a selector's pods, in the one spelling that snapshots use."""
    return "labelSelector=" + ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


def slice_port(endpoint_slice: EndpointSlice, port: ServicePort) -> SlicePort | None:
    """The port of a slice that serves a Service port: kube-proxy matches name and protocol, never the targetPort."""
    for candidate in each(endpoint_slice.ports):
        if (candidate.name or "") == port.name and (candidate.protocol or "TCP") == port.protocol:
            return candidate
    return None
