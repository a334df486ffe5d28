"""A place where kubectl is run: a cluster that has the lab's patient."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from msgspec import Struct

KUBECTL = shutil.which("kubectl")
OLDEST = 28
"""Minor version of the oldest kubectl whose words are compared; older ones print and ask differently."""


def lacking():
    """Why kubectl can't be tried here; empty where it can."""
    if KUBECTL is None:
        return "there is no kubectl here"
    said = subprocess.run([KUBECTL, "version", "--client", "-o", "json"], capture_output=True, text=True, check=False)
    minor = int(json.loads(said.stdout)["clientVersion"]["minor"].rstrip("+"))
    return "" if minor >= OLDEST else f"kubectl 1.{minor} is older than 1.{OLDEST}"


LACKING = lacking()


class Place(Struct, frozen=True):
    """A cluster with Service and Deployment ``web`` and a pod ``client`` in ``namespace``."""

    kubeconfig: Path
    namespace: str
    home: Path  # where kubectl keeps what it discovered

    def command(self, *words):
        return [KUBECTL, "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *words]

    def environment(self):
        return {**os.environ, "HOME": str(self.home), "KUBECACHEDIR": str(self.home / "cache")}

    def run(self, *words, given=None):
        """The finished kubectl."""
        return subprocess.run(  # noqa: PLW1510
            self.command(*words), env=self.environment(), input=given, capture_output=True, text=True, timeout=30
        )

    def __call__(self, *words, given=None):
        """What it prints. It must succeed."""
        ran = self.run(*words, given=given)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def start(self, *words):
        return subprocess.Popen(
            self.command(*words), env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def patient():
    core, apps = "/api/v1/namespaces/shop", "/apis/apps/v1/namespaces/shop"
    container = {"name": "app", "image": "web", "ports": [{"name": "http", "containerPort": 8080}]}
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    yield f"{apps}/deployments", {"metadata": {"name": "web"}, "spec": spec}
    for name, pod_labels in (("web-0", labels), ("web-1", labels), ("client", {"app": "client"})):
        meta = {"name": name, "labels": pod_labels}
        yield f"{core}/pods", {"metadata": meta, "spec": {"containers": [container], "nodeName": "node1"}}
    port = {"name": "http", "port": 80, "targetPort": "http"}
    service = {"selector": labels, "ports": [port], "clusterIP": "10.102.185.23"}
    yield f"{core}/services", {"metadata": {"name": "web"}, "spec": service}
    yield (
        "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
        {
            "metadata": {"name": "web-abcde", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "endpoints": [
                {"addresses": [address], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": name}}
                for name, address in (("web-0", "10.244.1.4"), ("web-1", "10.244.2.3"))
            ],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        },
    )


def ready(name, address):
    state = {"running": {"startedAt": "2026-11-23T02:18:31Z"}}
    status = {"name": "app", "ready": True, "restartCount": 0, "image": "web", "imageID": "web", "state": state}
    condition = {"type": "Ready", "status": "True"}
    return {
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [condition],
            "containerStatuses": [{**status, "containerID": f"containerd://{name}"}],
        },
    }
