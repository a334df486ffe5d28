"""The real kubectl against the API server alone and against the whole lab.

What people type works, and prints what it prints of a real cluster.
"""

import json
import re
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.api.place import LACKING, Place, patient, ready
from tests.lab.api.served import NOW, namespace, serve

pytestmark = pytest.mark.skipif(bool(LACKING), reason=LACKING)


@pytest.fixture(scope="module", params=["server", "lab"])
def place(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kubectl")
    with alone(folder) if request.param == "server" else lab(folder) as place:
        yield place


@contextmanager
def lab(folder):
    """The whole lab."""
    from svcdoctor.lab.base import Shape
    from svcdoctor.lab.serve import start

    with start(Shape()) as running:
        yield Place(running.kubeconfig, "default", folder)


@contextmanager
def alone(folder):
    """The API server alone, with the patient made by hand."""
    with serve(folder) as served:
        served.put(namespace("shop"))
        for path, made in patient():
            assert served.ask("POST", f"{path}?fieldValidation=Strict", made).code == 201
        for name, address in (("web-0", "10.244.1.4"), ("web-1", "10.244.2.3"), ("client", "10.244.2.2")):
            path, patch = f"/api/v1/namespaces/shop/pods/{name}/status", "application/merge-patch+json"
            assert served.ask("PATCH", path, ready(name, address), Content_Type=patch).code == 200
        served.kubelets.logs["client"] = [(NOW, "hello"), (NOW, "world")]
        yield Place(served.kubeconfig, "shop", served.folder)


def rows(printed):
    """Lines of a table, as their words."""
    return [line.split() for line in printed.splitlines()]


class TestGet:
    def test_wide(self, place):
        header, *pods = rows(place("get", "pods", "-o", "wide"))
        titles = "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"
        assert header == titles.split()
        client = next(pod for pod in pods if pod[0] == "client")
        assert (client[1:4], client[7:]) == (["1/1", "Running", "0"], ["<none>", "<none>"])
        header, web = rows(place("get", "svc", "web", "-o", "wide"))
        assert header == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"]
        assert (web[0], web[1], web[3], web[4], web[-1]) == ("web", "ClusterIP", "<none>", "80/TCP", "app=web")

    def test_several_kinds_at_once_with_a_warning(self, place):
        ran = place.run("get", "svc,endpoints,endpointslices,pods,deployments")
        assert "service/web" in ran.stdout
        assert "pod/client" in ran.stdout
        assert "deployment.apps/web" in ran.stdout
        assert ran.stderr == "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"

    def test_short_names_and_categories(self, place):
        assert place("get", "deploy/web", "-o", "name") == "deployment.apps/web\n"
        assert "service/web" in place("get", "all", "-o", "name").split()

    def test_json_and_yaml(self, place):
        service = json.loads(place("get", "svc", "web", "-o", "json"))
        assert (service["kind"], service["spec"]["selector"]) == ("Service", {"app": "web"})
        yaml = place("get", "svc", "web", "-o", "yaml")
        assert yaml.startswith("apiVersion: v1\nkind: Service\n")
        assert "  selector:\n    app: web\n" in yaml

    def test_what_is_not_there(self, place):
        ran = place.run("get", "svc", "nope")
        assert (ran.returncode, ran.stderr) == (1, 'Error from server (NotFound): services "nope" not found\n')
        assert "server doesn't have a resource type" in place.run("get", "nonsense").stderr

    def test_watch(self, place):
        place("create", "configmap", "watched")
        with place.start("get", "configmap", "watched", "-w", "-o", "name") as watching:
            assert watching.stdout.readline() == "configmap/watched\n"
            place("label", "configmap", "watched", "seen=yes")
            assert watching.stdout.readline() == "configmap/watched\n"
            place("delete", "configmap", "watched")
            assert watching.stdout.readline() == "configmap/watched\n"
            watching.kill()

    def test_a_watch_as_a_table(self, place):
        with place.start("get", "configmaps", "-l", "kind=table", "-w") as watching:
            place("apply", "-f", "-", given=config_map("tabled", "one"))
            assert watching.stdout.readline().split() == ["NAME", "DATA", "AGE"]
            assert watching.stdout.readline().split()[:2] == ["tabled", "1"]
            watching.kill()
        place("delete", "configmap", "tabled")


def config_map(name, value):
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"kind": "table"}},
            "data": {"x": value},
        }
    )


class TestDescribe:
    def test_a_service(self, place):
        told = dict(line.split(":", 1) for line in place("describe", "svc", "web").splitlines())
        shown = {key: value.strip() for key, value in told.items()}
        assert shown["Endpoints"].count(":8080") == len(shown["Endpoints"].split(","))
        assert {
            "Name": "web",
            "Namespace": place.namespace,
            "Selector": "app=web",
            "Type": "ClusterIP",
            "IP Family Policy": "SingleStack",
            "TargetPort": "http/TCP",
            "Session Affinity": "None",
            "Internal Traffic Policy": "Cluster",
            "Events": "<none>",
        }.items() <= shown.items()

    def test_a_pod(self, place):
        assert re.search(r"^Status: +Running$", place("describe", "pod", "client"), re.MULTILINE)


class TestWrite:
    def test_apply(self, place):
        assert place("apply", "-f", "-", given=config_map("a", "one")) == "configmap/a created\n"
        assert place("apply", "-f", "-", given=config_map("a", "one")) == "configmap/a unchanged\n"
        assert place("apply", "-f", "-", given=config_map("a", "two")) == "configmap/a configured\n"
        assert place("get", "configmap", "a", "-o", "jsonpath={.data.x}") == "two"
        served = place("apply", "--server-side", "--force-conflicts", "-f", "-", given=config_map("a", "three"))
        assert served == "configmap/a serverside-applied\n"
        assert place("diff", "-f", "-", given=config_map("a", "three")) == ""
        assert place("delete", "configmap", "a") == 'configmap "a" deleted\n'

    def test_a_field_that_nobody_knows(self, place):
        ran = place.run(
            "apply", "-f", "-", given='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dat":{}}'
        )
        assert (ran.returncode, 'unknown field "dat"' in ran.stderr) == (1, True)

    def test_patch(self, place):
        ports = '{"spec":{"ports":[{"port":80,"name":"http","targetPort":8080}]}}'
        assert place("patch", "svc", "web", "-p", ports) == "service/web patched\n"
        assert place("patch", "svc", "web", "-p", ports) == "service/web patched (no change)\n"
        back = '[{"op":"replace","path":"/spec/ports/0/targetPort","value":"http"}]'
        assert place("patch", "svc", "web", "--type", "json", "-p", back) == "service/web patched\n"
        selected = '{"spec":{"selector":{"app":"web"}}}'
        assert place("patch", "svc", "web", "--type", "merge", "-p", selected) == "service/web patched (no change)\n"

    def test_scale(self, place):
        before = place("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}")
        assert place("scale", "deployment", "web", "--replicas=4") == "deployment.apps/web scaled\n"
        assert place("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "4"
        wrong = place.run("scale", "deployment", "web", "--current-replicas=9", "--replicas=1")
        assert wrong.returncode == 1
        place("scale", "deployment", "web", f"--replicas={before}")

    def test_label_and_annotate(self, place):
        assert place("label", "svc", "web", "tier=front") == "service/web labeled\n"
        assert place("get", "svc", "-l", "tier=front", "-o", "name") == "service/web\n"
        assert place("annotate", "svc", "web", "note=x") == "service/web annotated\n"
        assert place("label", "svc", "web", "tier-") == "service/web unlabeled\n"
        place("annotate", "svc", "web", "note-")

    def test_create_expose_and_delete(self, place):
        exposed = place("expose", "deployment", "web", "--name", "second", "--port", "81")
        assert exposed == "service/second exposed\n"
        assert place("get", "svc", "second", "-o", "jsonpath={.spec.clusterIP}").startswith("10.")
        assert place("delete", "svc", "second") == 'service "second" deleted\n'
        assert place("get", "svc", "second", "--ignore-not-found") == ""

    def test_what_kubectl_encodes_in_binary(self, place):
        place("create", "deployment", "made", "--image", "web", "--replicas", "0", "--port", "8080")
        spec = json.loads(place("get", "deployment", "made", "-o", "json"))["spec"]
        assert (spec["replicas"], spec["template"]["spec"]["containers"][0]["ports"]) == (
            0,
            [{"containerPort": 8080, "protocol": "TCP"}],
        )
        place("create", "service", "nodeport", "made", "--tcp", "80:http", "--node-port", "30999")
        ports = json.loads(place("get", "svc", "made", "-o", "json"))["spec"]["ports"]
        assert ports == [{"name": "80-http", "port": 80, "protocol": "TCP", "targetPort": "http", "nodePort": 30999}]
        place("create", "ingress", "made", "--rule", "example.com/*=made:80", "--class", "nginx")
        spec = json.loads(place("get", "ingress", "made", "-o", "json"))["spec"]
        assert (spec["ingressClassName"], spec["rules"][0]["host"]) == ("nginx", "example.com")
        place("create", "secret", "generic", "made", "--from-literal", "key=value")
        assert place("get", "secret", "made", "-o", "jsonpath={.data}") == '{"key":"dmFsdWU="}'
        place("delete", "deployment/made", "svc/made", "ingress/made", "secret/made")

    def test_dry_run(self, place):
        assert place("create", "configmap", "dry", "--dry-run=server") == "configmap/dry created (server dry run)\n"
        assert place("get", "configmap", "dry", "--ignore-not-found") == ""

    def test_rollout_and_set(self, place):
        assert place("rollout", "restart", "deployment/web") == "deployment.apps/web restarted\n"
        assert place("set", "env", "deployment/web", "A=b") == "deployment.apps/web env updated\n"
        place("set", "env", "deployment/web", "A-")


class TestAccess:
    def test_can_i(self, place):
        assert place("auth", "can-i", "list", "pods") == "yes\n"
        ran = place.run("auth", "can-i", "list", "pods", "--as", "jane")
        assert (ran.returncode, ran.stdout) == (1, "no\n")

    def test_can_i_list(self, place):
        recorded = (Path(__file__).parents[1] / "wire" / "kubectl.txt").read_text()
        listed = recorded.partition("auth can-i --list --as jane\n")[2].partition("exit 0")[0]
        assert sorted(rows(place("auth", "can-i", "--list", "--as", "jane"))) == sorted(rows(listed))

    def test_forbidden(self, place):
        ran = place.run("get", "pods", "--as", "jane")
        assert (ran.returncode, ran.stderr) == (
            1,
            'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" '
            f'in API group "" in the namespace "{place.namespace}"\n',
        )

    def test_discovery(self, place):
        assert "deployments.apps" in place("api-resources", "-o", "name").split()
        assert "discovery.k8s.io/v1" in place("api-versions").split()
        assert "Server Version: v1.36" in place("version")
        assert place("get", "--raw", "/readyz") == "ok"
        assert "internalTrafficPolicy" in place("explain", "service.spec")


class TestInsidePods:
    def test_logs(self, place):
        whole = place("logs", "client")
        assert place("logs", "client", "--tail=1") == "".join(whole.splitlines(keepends=True)[-1:])
        ran = place.run("logs", "client", "-c", "nope")
        assert "container nope is not valid for pod client" in ran.stderr

    def test_exec(self, place):
        assert place("exec", "client", "--", "echo", "hello", "there") == "hello there\n"
        assert place("exec", "-i", "client", "--", "cat", given="through\n") == "through\n"
        ran = place.run("exec", "client", "--", "no-such-command")
        assert (ran.returncode, "no-such-command" in ran.stderr) == (1, True)

    def test_port_forward(self, place):
        with place.start("port-forward", "svc/web", ":80") as forwarding:
            try:
                found = re.search(r"127\.0\.0\.1:(\d+) -> 8080", forwarding.stdout.readline())
                assert found
                with socket.create_connection(("127.0.0.1", int(found[1])), timeout=10) as connection:
                    connection.sendall(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n")
                    assert b"HTTP/1." in connection.recv(1024)
            finally:
                forwarding.kill()
