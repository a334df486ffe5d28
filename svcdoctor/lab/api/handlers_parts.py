"""Subresources with kinds of their own: scale, binding, eviction."""

from typing import Any

from aiohttp import hdrs

from ..clock import stamp
from ..resources import Resource, named
from ..store import Store
from .answers import Answer, json_answer
from .calls import Call
from .deletion import Deletion, delete_options
from .handlers_objects import is_dry, wish_of
from .openapi_decode import decode_kind
from .patch import patched
from .selectors import matcher_of, requirements_of, selector_text
from .status import Refusal, bad_request, conflict, failure, invalid_kind
from .validate_errors import invalid
from .writing import Writer

Json = dict[str, Any]

PODS, BUDGETS = named("pods"), named("poddisruptionbudgets")
SCALE = Resource("autoscaling", "v1", "scales", "Scale")
SUCCESS: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


class Parts:
    """Serves them over the objects that they belong to."""

    def __init__(self, store: Store, writer: Writer, deletion: Deletion) -> None:
        self._store = store
        self._writer = writer
        self._deletion = deletion

    # ------------------------------------------------------------------------------------------------------------ scale

    async def get_scale(self, call: Call) -> Answer:
        """Raises Refusal (404)."""
        return json_answer(_scale(self._writer.live(wish_of(call))))

    async def update_scale(self, call: Call) -> Answer:
        """Raises Refusal: 400, 404, 409, 415, 422."""
        given = decode_kind("autoscaling/v1", "Scale", await call.json("Scale")).value
        return self._rescaled(call, given)

    async def patch_scale(self, call: Call) -> Answer:
        """Raises Refusal: 400, 404, 409, 415, 422."""
        scale = _scale(self._writer.live(wish_of(call)))
        media_type = call.request.headers.get(hdrs.CONTENT_TYPE, "")
        wanted = patched(SCALE, scale, media_type, await call.body())
        return self._rescaled(call, decode_kind("autoscaling/v1", "Scale", wanted).value)

    def _rescaled(self, call: Call, scale: Json) -> Answer:
        wish = wish_of(call)
        live = self._writer.live(wish)
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if replicas < 0:
            error = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
            raise invalid_kind("autoscaling", "Scale", wish.name, [error])
        meta = scale.get("metadata") or {}
        precise = {key: meta[key] for key in ("uid", "resourceVersion") if meta.get(key)}
        spec = {**live["spec"], "replicas": replicas}
        wanted = {**live, "metadata": {**live["metadata"], **precise}, "spec": spec}
        return json_answer(_scale(self._writer.update(wish, wanted).body))

    # ---------------------------------------------------------------------------------------------------------- binding

    async def bind(self, call: Call) -> Answer:
        """pods/binding: what a scheduler does. Raises Refusal: 400, 404, 409."""
        given = decode_kind("v1", "Binding", await call.json("Binding")).value
        node = (given.get("target") or {}).get("name")
        if not node:
            raise bad_request("Binding is invalid: target.name: Required value")
        pod = self._writer.live(wish_of(call))
        if bound := pod["spec"].get("nodeName"):
            raise conflict(PODS, call.info.name, f"pod {call.info.name} is already assigned to node {bound!r}")
        made = _bound(pod, node, stamp(self._store.clock.now))
        if not is_dry(call):
            self._store.replace(PODS, made, pod["metadata"].get("generation"))
        return json_answer(SUCCESS, 201)

    # --------------------------------------------------------------------------------------------------------- eviction

    async def evict(self, call: Call) -> Answer:
        """pods/eviction: a DELETE that disruption budgets may forbid. Raises Refusal: 400, 404, 429."""
        given = decode_kind("policy/v1", "Eviction", await call.json("Eviction")).value
        pod = self._writer.live(wish_of(call))
        options = delete_options(given.get("deleteOptions") or {}, call.query)
        if (pod.get("status") or {}).get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp"):
            self._spend_budget(pod)
        self._deletion.delete(PODS, pod, options, is_dry(call, options))
        return json_answer(SUCCESS, 201)

    def _spend_budget(self, pod: Json) -> None:
        labels = pod["metadata"].get("labels") or {}
        for stored in self._store.list(BUDGETS, pod["metadata"]["namespace"]):
            budget = stored.load()
            status = budget.get("status") or {}
            if matcher_of((budget.get("spec") or {}).get("selector"))(labels) and not status.get("disruptionsAllowed"):
                raise _over_budget(stored.name, status)


def _scale(item: Json) -> Json:
    """autoscaling/v1 Scale of a workload."""
    meta, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    told: Json = {"replicas": status.get("replicas", 0)}
    if text := selector_text(requirements_of(_selector(item))):
        told["selector"] = text
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": {"replicas": spec["replicas"]} if spec.get("replicas") else {},
        "status": told,
    }


def _selector(item: Json) -> Json:
    selector: Json = item["spec"].get("selector") or {}
    return {"matchLabels": selector} if item["kind"] == "ReplicationController" else selector


def _bound(pod: Json, node: str, now: str) -> Json:
    status = pod.get("status") or {}
    kept = [one for one in status.get("conditions") or () if one["type"] != "PodScheduled"]
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    return {
        **pod,
        "spec": {**pod["spec"], "nodeName": node},
        "status": {**status, "conditions": [*kept, scheduled]},
    }


def _over_budget(name: str, status: Json) -> Refusal:
    needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    why = f"The disruption budget {name} needs {needs} healthy pods and has {has} currently"
    details = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return Refusal(429, failure(429, "TooManyRequests", message, details))
