"""What all Kubernetes API objects share, cut down to the fields that svcdoctor reads.

Partial msgspec Structs: unknown fields are skipped while parsing, unknown enum values are plain strings. Absent and
``null`` mean the same, as they do for the API server; only fields that real servers send as ``null`` are typed so here,
`model.decode` takes care of the others.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, TypeVar

from msgspec import Meta, Raw, Struct

T = TypeVar("T")

Time = Annotated[datetime, Meta(tz=True)]
IntOrString = int | str
"""A port by number, or by the name of a containerPort (apimachinery's intstr.IntOrString)."""


def each(items: Iterable[T] | None) -> Iterable[T]:
    """The items of a list that the API server may send as null."""
    return items or ()


class Base(Struct, frozen=True, rename="camel", gc=False):
    """Frozen, camelCase on the wire, and outside the garbage collector: decoded objects hold no cycles."""


class OwnerReference(Base, frozen=True):
    """metav1.OwnerReference."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class ObjectMeta(Base, frozen=True):
    """metav1.ObjectMeta."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    owner_references: tuple[OwnerReference, ...] = ()
    generation: int = 0

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages the object, if one does."""
        return next((owner for owner in self.owner_references if owner.controller), None)


class ManagedField(Base, frozen=True):
    """metav1.ManagedFieldsEntry: who wrote which fields, and when."""

    manager: str = ""
    time: Time | None = None
    fields_v1: Raw = Raw(b"{}")


class ServiceMeta(ObjectMeta, frozen=True):
    """Metadata with its managedFields: of a Service we want to know when its selector was written."""

    managed_fields: tuple[ManagedField, ...] = ()


class Object(Base, frozen=True):
    """What every API object has."""

    metadata: ObjectMeta = ObjectMeta()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.labels


class Condition(Base, frozen=True):
    """The conditions of pods, nodes, Deployments and ReplicaSets share this shape."""

    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: Time | None = None


class LabelSelectorRequirement(Base, frozen=True):
    """metav1.LabelSelectorRequirement."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class LabelSelector(Base, frozen=True):
    """metav1.LabelSelector: all of matchLabels and all of matchExpressions must hold."""

    match_labels: dict[str, str] = {}
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()
