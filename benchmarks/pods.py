"""Writes a namespace of realistic pods as the API server would send it: a file per page of a list call.

A recorded pod is the model. It gets what a pod in production has and the recording lacks (environment, resources, the
token's volume, managedFields), and every copy its own names, addresses, times and uids.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

RECORDED = Path(__file__).parents[1] / "tests/cases/iptables-healthy/api/api/v1/namespaces/shop/pods.json"
PODS = 10_000
PAGE = 500
REPLICAS = 8
WRITTEN = ("annotations", "generateName", "labels", "ownerReferences")
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SOURCES = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
]


def write(folder: Path) -> None:
    """The pages, numbered, into ``folder``."""
    dice = random.Random(1)
    template = json.dumps(_as_in_production(_recorded()), separators=(",", ":"))
    for page in range(PODS // PAGE):
        pods = (_copy(template, page * PAGE + place, dice) for place in range(PAGE))
        (folder / f"{page:03}.json").write_text(_page(page, ",".join(pods)))


def _recorded() -> dict[str, Any]:
    pods = json.loads(RECORDED.read_bytes())["items"]
    return next(pod for pod in pods if pod["metadata"].get("ownerReferences"))


def _as_in_production(pod: dict[str, Any]) -> dict[str, Any]:
    meta, spec, status = pod["metadata"], pod["spec"], pod["status"]
    meta |= {"name": "@name", "generateName": "@workload-@hash-", "uid": "@uid", "resourceVersion": "@version"}
    meta["labels"] |= {"app": "@workload", "pod-template-hash": "@hash", "app.kubernetes.io/part-of": "shop"}
    meta["annotations"] = {"prometheus.io/scrape": "true", "prometheus.io/port": "9090", "team": "storefront"}
    meta["ownerReferences"][0] |= {"name": "@workload-@hash", "uid": "@owner"}
    spec["nodeName"] = "@node"
    spec["serviceAccountName"] = spec["serviceAccount"] = "@workload"
    spec["tolerations"] = [
        {"key": f"node.kubernetes.io/{trouble}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for trouble in ("not-ready", "unreachable")
    ]
    spec["volumes"] = [{"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": TOKEN_SOURCES}}]
    for container in spec["containers"]:
        container["env"] = [
            {"name": f"SHOP_SETTING_{n}", "value": f"http://backend-{n}.shop.svc:8080/"} for n in range(5)
        ]
        container["resources"] = {"limits": {"memory": "512Mi"}, "requests": {"cpu": "250m", "memory": "512Mi"}}
        container["volumeMounts"] = [{"name": "kube-api-access", "readOnly": True, "mountPath": TOKEN_PATH}]
    status |= {"podIP": "@ip", "podIPs": [{"ip": "@ip"}]}
    meta["managedFields"] = [
        _managed("kube-controller-manager", {"metadata": {key: meta[key] for key in WRITTEN}, "spec": spec}),
        _managed("kubelet", {"status": status}) | {"subresource": "status"},
    ]
    return pod


def _managed(manager: str, fields: dict[str, Any]) -> dict[str, Any]:
    entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": "2026-11-23T01:52:12Z"}
    return entry | {"fieldsType": "FieldsV1", "fieldsV1": _field_set(fields)}


def _field_set(value: Any) -> dict[str, Any]:
    """The names of all fields of ``value``, as a managedFields entry spells them (metav1.FieldsV1)."""
    if isinstance(value, dict):
        return {f"f:{key}": _field_set(field) for key, field in value.items()}
    if isinstance(value, list):
        keys = ("name", "type", "uid", "ip")
        named = ((next((key for key in keys if key in item), None), item) for item in value if isinstance(item, dict))
        return {f"k:{json.dumps({key: item[key]})}": {".": {}} | _field_set(item) for key, item in named if key}
    return {}


def _copy(template: str, number: int, dice: random.Random) -> str:
    workload = number // REPLICAS
    name, template_hash = f"storefront-{workload}", f"{workload * 7919:010x}"
    values = {
        "@name": f"{name}-{template_hash}-{dice.getrandbits(24):06x}",
        "@workload": name,
        "@hash": template_hash,
        "@uid": str(UUID(int=dice.getrandbits(128))),
        "@owner": str(UUID(int=workload)),
        "@version": str(dice.getrandbits(30)),
        "@node": f"node-{dice.randrange(200)}.eu-west.example.internal",
        "@ip": f"10.{244 + number // 65536}.{number // 256 % 256}.{number % 256}",
        "2026-11-23T01": f"2026-11-{dice.randrange(1, 23):02}T{dice.randrange(24):02}",
    }
    for placeholder, value in values.items():
        template = template.replace(placeholder, value)
    return template


def _page(page: int, pods: str) -> str:
    left = PODS - (page + 1) * PAGE
    more = {"continue": f"page-{page + 1}", "remainingItemCount": left} if left else {}
    head = json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "505", **more}})
    return f'{head[:-1]},"items":[{pods}]}}\n'


if __name__ == "__main__":
    write(Path(sys.argv[1]))
