"""What the lab's images do that needs the whole cluster."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from svcdoctor.lab.base import REGISTRY, Shape, pod, pod_spec
from svcdoctor.lab.cluster import Cluster
from svcdoctor.lab.controllers.backends import PODS

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def cluster():
    made = Cluster(Shape(), NOW, "token")
    made.boot()
    return made


def told(cluster, name, *args):
    """How a pod of the client's image ends that is told to do this, and what it has said."""
    container = {"name": "c", "image": f"{REGISTRY}/client:1", "args": list(args)}
    cluster.hands.apply([pod(name, pod_spec(container, restartPolicy="Never"))])
    cluster.clock.run_until(cluster.clock.now + timedelta(seconds=10))
    made = cluster.store.get(PODS, "default", name)
    return made["status"]["phase"], [line for _, line in cluster.insides.log(made, "c", False)]


@pytest.mark.parametrize(
    ("args", "phase", "last"),
    [
        (("nslookup", "web"), "Succeeded", r"Address: 10\.96\.\d+\.\d+"),
        (("sh", "-c", "nslookup web && echo found"), "Succeeded", "found"),
        (("sh", "-c", "nslookup nope || echo lost"), "Succeeded", "lost"),
        (("nslookup", "nope"), "Failed", r"\*\* server can't find nope.*: NXDOMAIN"),
        (("nslookup",), "Failed", "usage: nslookup NAME"),
        (("cat", "/etc/resolv.conf"), "Succeeded", "options ndots:5"),
    ],
    ids=["name", "script", "script-unknown", "unknown", "usage", "file"],
)
def test_a_pod_may_ask_and_end(cluster, request, args, phase, last):
    name = re.sub("[^a-z-]", "-", request.node.callspec.id)
    found, lines = told(cluster, name, *args)
    assert found == phase
    assert re.fullmatch(last, [line for line in lines if line][-1])


def test_kube_proxy_logs_as_klog_does(cluster):
    (first, *_) = [s.load() for s in cluster.store.list(PODS, "kube-system") if s.name.startswith("kube-proxy")]
    lines = [line for _, line in cluster.insides.log(first, "kube-proxy", False)]
    assert len(lines) == 8
    assert all(
        re.fullmatch(r'I1125 11:00:\d\d\.\d{6}       1 shared_informer\.go:38[18]\] ".*" .*', line) for line in lines
    )
