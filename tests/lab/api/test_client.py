"""The official Python client against the API server: what programs do works as it does with a real one."""

import threading
from contextlib import closing
from typing import Any

import kubernetes
import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward, stream
from kubernetes.watch import Watch

from tests.lab.api.served import NOW
from tests.lab.api.test_server_misbehave import misbehave
from tests.lab.api.test_server_pods import running


@pytest.fixture
def client(served):
    """The client, with the credentials of the kubeconfig."""
    with kubernetes.config.new_client_from_config(str(served.kubeconfig)) as api:
        yield api


@pytest.fixture
def core(client):
    return kubernetes.client.CoreV1Api(client)


def config_map(name, **data):
    return {"metadata": {"name": name}, "data": data}


def next_name(core, revision):
    """The first object that a watch from ``revision`` tells of."""
    watched = Watch().stream(core.list_namespaced_config_map, "shop", resource_version=revision)
    with closing(watched) as events:
        return next(events)["object"].metadata.name


class TestObjects:
    def test_live_and_die(self, core):
        made = core.create_namespaced_config_map("shop", config_map("a", x="1"))
        made.data["x"] = "2"
        core.replace_namespaced_config_map("a", "shop", made)
        with pytest.raises(ApiException) as refused:
            core.replace_namespaced_config_map("a", "shop", made)
        assert (refused.value.status, refused.value.reason) == (409, "Conflict")
        patched = core.patch_namespaced_config_map("a", "shop", {"data": {"y": "3"}})
        assert patched.data == {"x": "2", "y": "3"}
        core.delete_namespaced_config_map("a", "shop")
        with pytest.raises(ApiException) as refused:
            core.read_namespaced_config_map("a", "shop")
        assert refused.value.status == 404

    def test_services_and_deployments(self, client, core):
        apps: Any = kubernetes.client.AppsV1Api(client)
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "web"}]}}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        apps.create_namespaced_deployment("shop", {"metadata": {"name": "web"}, "spec": spec})
        assert apps.read_namespaced_deployment_scale("web", "shop").spec.replicas == 1
        apps.patch_namespaced_deployment_scale("web", "shop", {"spec": {"replicas": 3}})
        assert apps.read_namespaced_deployment("web", "shop").spec.replicas == 3
        ports = [{"port": 80, "targetPort": "http"}]
        made = core.create_namespaced_service("shop", {"metadata": {"name": "web"}, "spec": {"ports": ports}})
        assert (made.spec.type, made.spec.cluster_ip[:3]) == ("ClusterIP", "10.")

    def test_pages(self, core):
        for number in range(5):
            core.create_namespaced_config_map("shop", config_map(f"m{number}"))
        seen, token = [], None
        while token is None or token:
            page = core.list_namespaced_config_map("shop", limit=2, _continue=token)
            seen += [one.metadata.name for one in page.items]
            token = page.metadata._continue or ""
        assert seen == [f"m{number}" for number in range(5)]


class TestWatch:
    def test_of_pods_by_label_and_field(self, served, core):
        chosen = {"label_selector": "app=web", "field_selector": "spec.nodeName=node1"}
        web = running()
        web["metadata"]["labels"] = {"app": "web"}
        served.put(web)
        with closing(Watch().stream(core.list_namespaced_pod, "shop", **chosen)) as events:
            first = next(events)
            assert (first["type"], first["object"].metadata.name) == ("ADDED", "web-0")
            served.put({**web, "metadata": {**web["metadata"], "labels": {"app": "other"}}})
            assert next(events)["type"] == "DELETED"

    def test_comes_back_after_a_cut_and_misses_nothing(self, served, core):
        """The client goes on from the last revision that it saw, for as long as its own patience lasts."""
        misbehave(served, "truncate", verb="watch", after=1, times=2)
        core.create_namespaced_config_map("shop", config_map("m0"))
        seen = []
        with closing(Watch().stream(core.list_namespaced_config_map, "shop")) as events:
            for event in events:
                seen.append(event["object"].metadata.name)
                if len(seen) == 4:
                    break
                core.create_namespaced_config_map("shop", config_map(f"m{len(seen)}"))
        assert seen == ["m0", "m1", "m2", "m3"]

    def test_a_forgotten_revision_is_410_until_one_lists_again(self, served, core):
        old = core.list_namespaced_config_map("shop").metadata.resource_version
        core.create_namespaced_config_map("shop", config_map("a"))
        served.call(served.store.compact)
        with pytest.raises(ApiException) as gone:
            list(Watch().stream(core.list_namespaced_config_map, "shop", resource_version=old, timeout_seconds=5))
        assert (gone.value.status, gone.value.reason[:7]) == (410, "Expired")
        again = core.list_namespaced_config_map("shop").metadata.resource_version
        core.create_namespaced_config_map("shop", config_map("b"))
        assert next_name(core, again) == "b"

    def test_a_bookmark_is_where_to_go_on(self, served, core):
        then = core.list_namespaced_config_map("shop").metadata.resource_version
        core.create_namespaced_secret("shop", {"metadata": {"name": "elsewhere"}})
        chosen = {"resource_version": then, "allow_watch_bookmarks": True, "timeout_seconds": 1}
        (last,) = Watch().stream(core.list_namespaced_config_map, "shop", **chosen)
        assert last["type"] == "BOOKMARK"
        mark = last["raw_object"]["metadata"]["resourceVersion"]
        assert int(mark) > int(then)
        served.call(served.store.compact)
        core.create_namespaced_config_map("shop", config_map("a"))
        assert next_name(core, mark) == "a"


class TestPods:
    def test_logs(self, served, core):
        served.put(running())
        served.kubelets.logs["web-0"] = [(NOW, "one"), (NOW, "two")]
        assert core.read_namespaced_pod_log("web-0", "shop", tail_lines=1) == "two\n"

    @pytest.mark.parametrize(
        ("command", "said", "code"), [(["echo", "hello"], "hello\n", 0), (["exit", "3"], "bye\n", 3)]
    )
    def test_exec(self, served, core, command, said, code):
        served.put(running())
        how = {"stderr": True, "stdin": False, "stdout": True, "tty": False, "_preload_content": False}
        ran = stream(core.connect_get_namespaced_pod_exec, "web-0", "shop", command=command, **how)
        ran.run_forever(timeout=10)
        assert (ran.returncode, ran.read_stdout() + ran.read_stderr()) == (code, said)
        ran.sock.shutdown()

    def test_attach(self, served, core):
        """What is said from then on, to the container's end."""
        served.put(running())
        served.kubelets.logs["web-0"] = [(NOW, "before")]
        how = {"stderr": True, "stdin": False, "stdout": True, "tty": False, "_preload_content": False}
        attached = stream(core.connect_get_namespaced_pod_attach, "web-0", "shop", **how)
        attached.update(timeout=5)
        served.call(lambda: served.kubelets.logs["web-0"].append((NOW, "after")))
        assert attached.readline_stdout(timeout=5) == "after"
        ended = running()
        ended["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 0}}
        served.put(ended)
        attached.run_forever(timeout=5)
        assert attached.returncode == 0
        attached.sock.shutdown()

    def test_port_forward(self, served, core):
        served.put(running())
        forwarded = portforward(core.connect_get_namespaced_pod_portforward, "web-0", "shop", ports="8080")
        socket = forwarded.socket(8080)
        socket.setblocking(True)
        socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert socket.recv(1024).startswith(b"HTTP/1.0 200 OK")
        socket.close()
        forwarded.websocket.shutdown()


class TestAccess:
    def test_asks_what_it_may(self, client, served):
        api: Any = kubernetes.client.AuthorizationV1Api(client)
        served.ask("POST", "/lab/deny", {"resource": "nodes"})
        allowed = {}
        for resource in ("pods", "nodes"):
            spec = {"resourceAttributes": {"verb": "list", "resource": resource}}
            review = api.create_self_subject_access_review({"spec": spec})
            allowed[resource] = review.status.allowed
        assert allowed == {"pods": True, "nodes": False}

    def test_an_expired_token(self, served, core):
        misbehave(served, "expire")
        with pytest.raises(ApiException) as refused:
            core.list_node()
        assert (refused.value.status, refused.value.reason) == (401, "Unauthorized")


def test_many_watch_at_once(served, core):
    """Each is told everything, in order."""
    told: list[list[str]] = [[] for _ in range(8)]

    def watch(seen):
        with served.stream("/api/v1/namespaces/shop/configmaps?watch=true&resourceVersion=1") as events:
            while len(seen) < 20:
                seen.append(events.next()["object"]["metadata"]["name"])

    threads = [threading.Thread(target=watch, args=(seen,)) for seen in told]
    for thread in threads:
        thread.start()
    for number in range(20):
        core.create_namespaced_config_map("shop", config_map(f"m{number:02}"))
    for thread in threads:
        thread.join(10)
    assert told == [[f"m{number:02}" for number in range(20)]] * 8
