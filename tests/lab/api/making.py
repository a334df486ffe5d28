"""A request's way through the server's pure parts, as its tests need it."""

from typing import Any

from svcdoctor.lab.api.allocate import Ranges, Taken, allocate
from svcdoctor.lab.api.defaults import created, updated
from svcdoctor.lab.api.openapi_decode import decode
from svcdoctor.lab.api.validate import located, validate_create, validate_update
from svcdoctor.lab.resources import Resource, named, of_kind

Json = dict[str, Any]


def create(given: Json, namespace: str = "shop", ranges: Ranges | None = None, taken: Taken | None = None) -> Json:
    """What would be stored. Raises Refusal."""
    resource = resource_of(given)
    made = created(resource, located(resource, decode(resource, given).value, namespace))
    validate_create(resource, made)
    if resource is named("services"):
        made = allocate(made, ranges or Ranges(), taken or Taken())
    return made


def update(old: Json, given: Json, ranges: Ranges | None = None, taken: Taken | None = None) -> Json:
    resource = resource_of(given)
    meta = old["metadata"]
    where = located(resource, decode(resource, given).value, meta.get("namespace", ""), meta["name"])
    made = updated(resource, old, where)
    validate_update(resource, old, made)
    if resource is named("services"):
        made = allocate(made, ranges or Ranges(), taken or Taken(), old)
    return made


def resource_of(given: Json) -> Resource:
    found = of_kind(given["apiVersion"], given["kind"])
    assert found
    return found


def service(name: str = "web", **spec: Any) -> Json:
    found = {"ports": [{"port": 80}], "selector": {"app": "web"}, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": found}


def pod(**spec: Any) -> Json:
    found = {"containers": [{"name": "app", "image": "a:1"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"}, "spec": found}


def deployment(**spec: Any) -> Json:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
    found = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": found}
