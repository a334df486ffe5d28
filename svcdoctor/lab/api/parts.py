"""Subresources that are a part of their object: what an update of each may change, and that nothing else does."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from ..resources import Resource
from .defaults import defaulted, status_updated

Json = dict[str, Any]

Part = Callable[[Resource, Json, Json], Json]
"""(resource, live, given) -> what is to be stored."""


def _spec_fields(*fields: str) -> Part:
    """Only these fields of spec, with their defaults."""

    def update(resource: Resource, live: Json, given: Json) -> Json:
        made, wanted = copy.deepcopy(live), defaulted(resource, given).get("spec") or {}
        for field in fields:
            made["spec"].pop(field, None)
            if field in wanted:
                made["spec"][field] = wanted[field]
        return made

    return update


PARTS: Mapping[str, Part] = {
    "status": status_updated,
    "ephemeralcontainers": _spec_fields("ephemeralContainers"),
    "resize": _spec_fields("containers"),
    "finalize": _spec_fields("finalizers"),
}
