"""A NetworkPolicy as people write it: only what it says, in the order of the API's documentation."""

from typing import Any

import msgspec

from ...model.policy import NetworkPolicy
from ...model.service import LAST_APPLIED_ANNOTATION

Json = dict[str, Any]

MEANT_WHEN_EMPTY = ("spec", "podSelector", "namespaceSelector")
"""Everywhere else in a NetworkPolicy an empty field means the same as none."""


def manifest(policy: NetworkPolicy) -> Json:
    """Ready to be written as YAML and applied."""
    metadata: Json = {"name": policy.name, "namespace": policy.namespace}
    annotations = {k: v for k, v in policy.metadata.annotations.items() if k != LAST_APPLIED_ANNOTATION}
    metadata |= {key: value for key, value in (("labels", policy.labels), ("annotations", annotations)) if value}
    spec = msgspec.to_builtins(policy.spec)
    ordered = {key: spec[key] for key in ("podSelector", "policyTypes", "ingress", "egress")}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": written(ordered),
    }


def written(value: Any) -> Any:
    """``value`` without the fields that say nothing. Items of lists stay: an empty rule allows everything."""
    if isinstance(value, dict):
        found = {key: written(item) for key, item in value.items() if item is not None}
        return {key: item for key, item in found.items() if key in MEANT_WHEN_EMPTY or item not in ({}, [])}
    if isinstance(value, list | tuple):
        return [{} if item is None else written(item) for item in value]
    return value
