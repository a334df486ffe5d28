"""A watch's events as lines of JSON, in the form that the client wants its objects in."""

from typing import Any

import msgspec

from .presenting import Presenter
from .watching import Event

Json = dict[str, Any]

_TEMPLATE: Json = {"metadata": {}, "spec": {"containers": None}}
_NODE_INFO = (
    *("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion"),
    *("kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture"),
)
_COUNTS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
ZERO: dict[str, Json] = {
    "Pod": {"spec": {"containers": None}, "status": {}},
    "Service": {"spec": {}, "status": {"loadBalancer": {}}},
    "EndpointSlice": {"addressType": "", "endpoints": None, "ports": None},
    "Namespace": {"spec": {}, "status": {}},
    "Node": {
        "spec": {},
        "status": {
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
            "nodeInfo": dict.fromkeys(_NODE_INFO, ""),
        },
    },
    "Event": {
        "involvedObject": {},
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": None,
        "reportingComponent": "",
        "reportingInstance": "",
    },
    "Deployment": {"spec": {"selector": None, "template": _TEMPLATE, "strategy": {}}, "status": {}},
    "ReplicaSet": {"spec": {"selector": None, "template": _TEMPLATE}, "status": {"replicas": 0}},
    "StatefulSet": {
        "spec": {"selector": None, "template": _TEMPLATE, "updateStrategy": {}},
        "status": {"replicas": 0, "availableReplicas": 0},
    },
    "DaemonSet": {
        "spec": {"selector": None, "template": _TEMPLATE, "updateStrategy": {}},
        "status": dict.fromkeys(_COUNTS, 0),
    },
    "NetworkPolicy": {"spec": {}},
    "Ingress": {"spec": {}, "status": {"loadBalancer": {}}},
}
"""What Go writes of an object of which only the revision is set: the fields that are never left out."""


def event_line(presenter: Presenter, event: Event) -> bytes:
    return _line(event.type, presenter.event(event.stored))


def bookmark_line(presenter: Presenter, revision: int) -> bytes:
    """Says only up to which revision everything was told."""
    resource = presenter.resource
    meta = {"metadata": {"resourceVersion": str(revision)}}
    head = {"kind": resource.kind, "apiVersion": resource.api_version, **meta}
    if presenter.form:
        head = {"kind": presenter.form, "apiVersion": "meta.k8s.io/v1", **meta}
    zero = ZERO.get(resource.kind, {}) if not presenter.form else {"rows": []} if presenter.form == "Table" else {}
    return _line("BOOKMARK", msgspec.json.encode({**head, **zero}))


def error_line(status: Json) -> bytes:
    return _line("ERROR", msgspec.json.encode(status))


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"
