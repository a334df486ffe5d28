"""Objects and paths that these tests share."""

SHOP = "/api/v1/namespaces/shop"
MAPS = f"{SHOP}/configmaps"
APPS = "/apis/apps/v1/namespaces/shop"
MERGE = "application/merge-patch+json"


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data}


def pod(name="web-0", node="node1", **meta):
    meta = {"name": name, "namespace": "shop", **meta}
    spec = (
        {"containers": [{"name": "app", "image": "web"}], "nodeName": node}
        if node
        else {"containers": [{"name": "app", "image": "web"}]}
    )
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Running"}}


def names(reply):
    return [item["metadata"]["name"] for item in reply.json()["items"]]


def said(reply):
    return reply.code, reply.json()["message"]
