"""What reaches into pods and nodes: logs, exec, port-forward and proxies."""

from datetime import timedelta

import pytest

from tests.lab.api.objects import SHOP, pod, said
from tests.lab.api.served import NOW, PEER

LOG = f"{SHOP}/pods/web-0/log"


@pytest.fixture
def logging(served):
    """A running pod that said something in each of the last four seconds."""
    served.put(running())
    served.kubelets.logs["web-0"] = [(NOW - timedelta(seconds=4 - at), f"line {at}") for at in range(4)]
    return served


def running(*names):
    made = pod()
    made["spec"]["containers"] = [{"name": name, "image": "web"} for name in names or ("app",)]
    status = {"ready": True, "restartCount": 0, "image": "web", "imageID": "web", "state": {"running": {}}}
    states = [{"name": name, **status, "containerID": f"containerd://{name}"} for name in names or ("app",)]
    return made | {"status": {"phase": "Running", "podIP": "10.244.1.7", "containerStatuses": states}}


class TestLog:
    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("", "line 0\nline 1\nline 2\nline 3\n"),
            ("tailLines=2", "line 2\nline 3\n"),
            ("tailLines=0", ""),
            ("limitBytes=9", "line 0\nli"),
            ("sinceSeconds=2", "line 2\nline 3\n"),
            ("sinceTime=2026-11-23T02:19:21Z", "line 3\n"),
            ("tailLines=1&timestamps=true", "2026-11-23T02:19:21.000000000Z line 3\n"),
        ],
    )
    def test_as_much_as_is_asked_for(self, logging, query, text):
        reply = logging.ask("GET", f"{LOG}?{query}")
        assert (reply.code, reply.body.decode()) == (200, text)

    @pytest.mark.parametrize(
        ("query", "code", "message"),
        [
            ("container=x", 400, "container x is not valid for pod web-0"),
            ("previous=true", 400, 'previous terminated container "app" in pod "web-0" not found'),
            (
                "tailLines=-1",
                422,
                'PodLogOptions "web-0" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
            ),
            ("tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
            ("sinceTime=x", 400, 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ],
    )
    def test_what_makes_no_sense(self, logging, query, code, message):
        assert said(logging.ask("GET", f"{LOG}?{query}")) == (code, message)

    def test_one_of_several_containers_must_be_named(self, served):
        made = running("app", "sidecar")
        made["spec"]["initContainers"] = [{"name": "setup", "image": "x"}]
        served.put(made)
        assert said(served.ask("GET", LOG)) == (
            400,
            "a container name must be specified for pod web-0, choose one of: [app sidecar] "
            "or one of the init containers: [setup]",
        )
        assert served.ask("GET", f"{LOG}?container=setup").code == 200

    def test_of_no_pod_and_one_without_a_node(self, served):
        assert said(served.ask("GET", LOG)) == (404, 'pods "web-0" not found')
        served.put(pod(node=""))
        assert served.ask("GET", LOG).code == 204

    def test_is_followed_to_the_containers_end(self, logging):
        with logging.stream(f"{LOG}?follow=true&tailLines=1") as log:
            pieces = log.response.read_chunked()
            assert next(pieces) == b"line 3\n"
            logging.call(lambda: logging.kubelets.logs["web-0"].append((NOW, "line 4")))
            assert next(pieces) == b"line 4\n"
            ended = running()
            ended["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 0}}
            logging.put(ended)
            assert list(pieces) == []


class TestExec:
    def test_needs_an_upgrade_a_pod_and_a_node(self, served):
        path = f"{SHOP}/pods/web-0/exec?command=true&stdout=true"
        assert said(served.ask("GET", path)) == (404, 'pods "web-0" not found')
        served.put(pod(node=""))
        assert said(served.ask("GET", path)) == (400, "pod web-0 does not have a host assigned")
        served.put(running())
        assert said(served.ask("GET", path)) == (400, "Upgrade request required")
        assert said(served.ask("GET", f"{path}&container=x")) == (400, "container x is not valid for pod web-0")

    def test_who_may_only_get_it_may_not_run_it(self, served):
        served.put(running())
        served.ask("POST", "/lab/deny", {"verb": "create", "resource": "pods/exec"})
        path = f"{SHOP}/pods/web-0/exec?command=true&stdout=true"
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        refused = served.ask("GET", path, **upgrade, Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA==")
        assert said(refused) == (
            403,
            'pods "web-0" is forbidden: User "kubernetes-admin" cannot create resource "pods/exec" '
            'in API group "" in the namespace "shop"',
        )
        assert served.ask("POST", path, token=PEER).code == 403


class TestProxy:
    def test_to_a_node(self, served):
        addresses = [{"type": "InternalIP", "address": "172.30.0.11"}]
        served.put(
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node1"}, "status": {"addresses": addresses}}
        )
        node = "/api/v1/nodes/node1"
        assert served.ask("GET", f"{node}/proxy/configz").json() == {
            "kubeletconfig": {"clusterDomain": "cluster.local"}
        }
        assert served.ask("GET", f"{node}:10256/proxy/healthz?x=1").body == b"node1:10256/healthz?x=1"
        assert served.ask("GET", f"{node}/proxy/healthz").body == b"node1:10250/healthz"
        assert said(served.ask("GET", f"{node}:10249/proxy/metrics")) == (
            503,
            "error trying to reach service: dial tcp 172.30.0.11:10249: connect: connection refused",
        )
        assert said(served.ask("GET", "/api/v1/nodes/nope/proxy/configz")) == (404, 'nodes "nope" not found')

    def test_to_a_pod(self, served):
        served.put(running())
        assert served.ask("GET", f"{SHOP}/pods/web-0:8080/proxy/a/b").body == b"web-0:8080/a/b"
        assert served.ask("GET", f"{SHOP}/pods/http:web-0:8080/proxy/").body == b"web-0:8080/"
        assert served.ask("GET", f"{SHOP}/pods/web-0/proxy/").code == 503
        assert served.ask("GET", f"{SHOP}/pods/nope:1/proxy/").code == 404

    def test_to_a_service(self, served):
        served.put(running())
        ports = [{"name": "http", "port": 80}, {"name": "other", "port": 81}]
        served.ask("POST", f"{SHOP}/services", {"metadata": {"name": "web"}, "spec": {"ports": ports}})
        path = f"{SHOP}/services/web"
        assert said(served.ask("GET", f"{path}:http/proxy/")) == (
            503,
            'no endpoints available for service "web:http"',
        )
        served.put(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": "w", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["10.244.1.7"], "targetRef": {"kind": "Pod", "name": "web-0"}}],
                "ports": [{"name": "http", "port": 8080}],
            }
        )
        assert served.ask("GET", f"{path}:http/proxy/x").body == b"web-0:8080/x"
        assert served.ask("GET", f"{path}:80/proxy/x").body == b"web-0:8080/x"
        assert said(served.ask("GET", f"{path}:99/proxy/")) == (503, 'no service port 99 found for service "web"')
        assert served.ask("GET", f"{path}:other/proxy/").code == 503
        assert served.ask("GET", f"{path}/proxy/").code == 503
