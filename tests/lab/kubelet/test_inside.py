"""What the API server reaches through a kubelet: logs, commands, connections."""

import asyncio
from datetime import timedelta

import pytest

from svcdoctor.lab import base
from svcdoctor.lab.api.status import Refusal
from svcdoctor.lab.api.streams.process import CannotStart
from svcdoctor.lab.controllers.objects import PODS
from svcdoctor.lab.images import Image, lab_images
from svcdoctor.lab.system import system

from .world import START, World, conditions, deployment

LISTEN = ["--http=8080", "--health=/healthz"]


def server(*args, **more):
    return base.server(args=[*LISTEN, *args], **more)


def tool(script, name="app"):
    return {"name": name, "image": "registry.lab/toolbox:1", "command": ["sh", "-c", script]}


def lived(container, seconds=30.0, images=None, **spec):
    world = World(1, images)
    world.apply(deployment(container, **spec))
    world.run(seconds)
    return world


# ---------------------------------------------------------------------------------------------------------------- logs


def lines(world, container="app", previous=False):
    return [line for _, line in world.kubelets.log(world.pod(), container, previous)]


def refusal(world, container="app", previous=False):
    with pytest.raises(Refusal) as refused:
        world.kubelets.log(world.pod(), container, previous)
    assert refused.value.code == 400
    return str(refused.value)


def test_a_log_has_what_was_written_so_far():
    world = lived(tool("echo one; sleep 60; echo two >&2; sleep infinity"))
    started = START + timedelta(seconds=2.647)  # the image was pulled first
    assert world.kubelets.log(world.pod(), "app", False) == [(started, "one")]
    world.run(60)
    assert world.kubelets.log(world.pod(), "app", False) == [(started, "one"), (started + timedelta(seconds=60), "two")]


def test_a_crashed_container_still_has_its_log_and_the_one_before():
    world = lived(server("--exit-after=2s", "--exit-code=1", "--log=fatal: no database"), 120)
    assert lines(world)[0] == "fatal: no database"
    assert lines(world, previous=True)[0] == "fatal: no database"


def test_logs_that_are_not_there():
    name = "web"
    world = lived(server(), initContainers=[tool("sleep 20", "setup")], seconds=10)
    pod = world.pod()["metadata"]["name"]
    assert refusal(world) == f'container "app" in pod "{pod}" is waiting to start: PodInitializing'
    assert refusal(world, "setup", True) == f'previous terminated container "setup" in pod "{pod}" not found'
    world.change("deployments", name, replicas=0)
    world.run(60)
    world.apply(deployment(server(image="registry.lab/server:typo"), name="other"))
    world.run(60)
    (other,) = world.pods("other")
    with pytest.raises(Refusal, match="is waiting to start: trying and failing to pull image"):
        world.kubelets.log(other, "app", False)


# ------------------------------------------------------------------------------------------------------------ commands


class Sink:
    """Keeps what is written."""

    def __init__(self):
        self.data = b""

    async def write(self, data):
        self.data += data


class Source:
    """Gives bytes, then ends."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    async def read(self, n=0):
        return self.pieces.pop(0) if self.pieces else b""


async def no_sizes():
    return
    yield


def run(world, *argv, stdin=()):
    """(exit code, stdout, stderr) of a command in the pod."""
    out, err = Sink(), Sink()

    async def live():
        process = world.kubelets.start(world.pod(), "app", argv, False)
        return await asyncio.wait_for(process.run(Source(*stdin), out, err, no_sizes()), 10)

    code = asyncio.run(live())
    return code, out.data.decode(), err.data.decode()


def test_commands_run_in_the_container():
    world = lived(server(env=[{"name": "MODE", "value": "fast"}, {"name": "PORT", "value": "$(WEB_SERVICE_PORT)"}]))
    name = world.pod()["metadata"]["name"]
    assert run(world, "sh", "-c", "echo out; echo err >&2; exit 3") == (3, "out\n", "err\n")
    assert run(world, "hostname") == (0, f"{name}\n", "")
    assert run(world, "printenv", "MODE", "PORT") == (0, "fast\n$(WEB_SERVICE_PORT)\n", "")
    assert run(world, "cat", stdin=[b"hel", b"lo\n"]) == (0, "hello\n", "")
    assert run(world, "cat", "/etc/hostname") == (0, f"{name}\n", "")
    assert run(world, "cat", "/nope") == (1, "", "cat: can't open '/nope': No such file or directory\n")
    assert f"10.244.1.2\t{name}\n" in run(world, "cat", "/etc/hosts")[1]


def test_a_command_sleeps_in_lab_time():
    world, out = lived(server()), Sink()

    async def live():
        process = world.kubelets.start(world.pod(), "app", ["sh", "-c", "sleep 1h; echo awake"], False)
        running = asyncio.ensure_future(process.run(Source(), out, Sink(), no_sizes()))
        await asyncio.sleep(0)
        world.run(3599)
        await asyncio.sleep(0)
        assert not running.done()
        world.run(1)
        return await asyncio.wait_for(running, 10)

    assert asyncio.run(live()) == 0
    assert out.data == b"awake\n"


def test_the_environment_has_the_services_of_the_pods_start():
    world = World(1)
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    made = base.service("my-web", {"app": "web"}, ports, clusterIP="10.96.0.7")
    world.apply(made, deployment(server()))
    world.run(30)
    world.apply(base.service("later", None, ports, clusterIP="10.96.0.8"))
    found = dict(line.split("=", 1) for line in run(world, "env")[1].splitlines())
    assert {key: value for key, value in found.items() if "SERVICE" in key or "PORT" in key} == {
        "MY_WEB_SERVICE_HOST": "10.96.0.7",
        "MY_WEB_SERVICE_PORT": "80",
        "MY_WEB_SERVICE_PORT_HTTP": "80",
        "MY_WEB_PORT": "tcp://10.96.0.7:80",
        "MY_WEB_PORT_80_TCP": "tcp://10.96.0.7:80",
        "MY_WEB_PORT_80_TCP_PROTO": "tcp",
        "MY_WEB_PORT_80_TCP_PORT": "80",
        "MY_WEB_PORT_80_TCP_ADDR": "10.96.0.7",
    }


def test_a_variable_of_a_service_can_break_a_program():
    """The Service web makes WEB_PORT=tcp://..., which the program takes for its own setting."""
    world = World(1)
    container = base.server(args=["--http=$(WEB_PORT)"])
    world.apply(base.service("web", {"app": "web"}, [{"port": 80}], clusterIP="10.96.0.7"), deployment(container))
    world.run(60)
    assert lines(world) == ['server: invalid argument "tcp://10.96.0.7:80" for "--http" flag: want 1 to 65535']
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] >= 1


def test_programs_that_are_not_there():
    world = lived(server())
    with pytest.raises(CannotStart, match=r'exec: "curl": executable file not found in \$PATH: unknown$'):
        run(world, "curl", "-s", "localhost")
    with pytest.raises(CannotStart, match=r"stat /bin/curl: no such file or directory: unknown$"):
        run(world, "/bin/curl")
    with pytest.raises(CannotStart, match="container not found"):
        world.kubelets.start(world.pod(), "nope", ["true"], False)


def test_an_image_brings_commands_of_its_own():
    async def nslookup(call):
        await call.stdout.write(f"{call.argv[1]} from {call.launch.hostname}\n".encode())
        return 4

    images = lab_images()
    client, _ = images.find("registry.lab/client:1")
    images.add(Image(client.repository, ("1",), client.run, (), client.default_args, commands={"nslookup": nslookup}))
    world = lived({"name": "app", "image": "registry.lab/client:1"}, images=images)
    name = world.pod()["metadata"]["name"]
    assert run(world, "nslookup", "web") == (4, f"web from {name}\n", "")
    assert run(world, "sh", "-c", "nslookup web; echo $?") == (0, f"web from {name}\n4\n", "")


# --------------------------------------------------------------------------------------------------------- connections


def talk(world, port, sent):
    async def live():
        reader, writer = await world.kubelets.connect(world.pod(), port)
        writer.write(sent)
        writer.write_eof()
        data = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        return data

    return asyncio.run(live())


def test_a_forwarded_port_answers_with_the_pods_name():
    world = lived(server("--bind=127.0.0.1"))
    answer = talk(world, 8080, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /nope HTTP/1.1\r\nConnection: close\r\n\r\n")
    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200 OK\r\n") and first.endswith(f"\r\n\r\n{world.pod()['metadata']['name']}\n".encode())
    assert second.startswith(b"404 Not Found\r\n") and b"Connection: close\r\n" in second
    with pytest.raises(ConnectionRefusedError):
        talk(world, 8081, b"")


def test_other_protocols_are_echoed_and_nonsense_is_refused():
    world = lived(base.server(args=["--tcp=9000", "--http=8080"]))
    assert talk(world, 9000, b"ping") == b"ping"
    assert talk(world, 8080, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert talk(world, 8080, b"half a requ") == b""


def test_the_api_servers_proxy_reaches_what_listens_on_the_pods_address():
    world = lived(server())
    assert world.kubelets.http(world.pod(), 8080, "/healthz?verbose", {}) == (200, "text/plain; charset=utf-8", b"ok\n")
    hidden = lived(server("--bind=127.0.0.1"))
    with pytest.raises(ConnectionRefusedError):
        hidden.kubelets.http(hidden.pod(), 8080, "/healthz", {})


def test_a_nodes_proxy_reaches_what_runs_in_its_network():
    world = World(1)
    world.apply(*(one for one in system(base.Shape()) if one["kind"] in ("ConfigMap", "DaemonSet")))
    world.run(30)
    node = world.get("nodes", "node1", "")
    assert world.kubelets.http(node, 10256, "/healthz", {})[0] == 200
    with pytest.raises(ConnectionRefusedError):
        world.kubelets.http(node, 10249, "/metrics", {})
    assert world.kubelets.configz("node1")["kubeletconfig"]["kind"] == "KubeletConfiguration"


def test_a_debugging_container_starts_in_a_running_pod():
    world = lived(server())
    pod = world.pod()
    debugger = {"name": "debug", "image": "registry.lab/client:1", "command": ["sh", "-c", "echo here; sleep 5"]}
    world.store.replace(PODS, {**pod, "spec": {**pod["spec"], "ephemeralContainers": [debugger]}})
    world.run(3)
    (status,) = world.pod()["status"]["ephemeralContainerStatuses"]
    assert (list(status["state"]), status["ready"], "started" in status) == (["running"], False, False)
    assert lines(world, "debug") == ["here"]
    assert conditions(world.pod())["Ready"] == "True"
    world.run(60)
    (status,) = world.pod()["status"]["ephemeralContainerStatuses"]
    assert (status["state"]["terminated"]["exitCode"], status["restartCount"]) == (0, 0)
    assert conditions(world.pod())["Ready"] == "True"


def test_a_pod_whose_image_is_changed_restarts_that_container():
    world = World(1)
    world.apply(base.pod("web", base.pod_spec(server()), {"app": "web"}))
    world.run(30)
    pod = world.pod()
    containers = [{**pod["spec"]["containers"][0], "image": "registry.lab/server:2"}]
    world.store.replace(PODS, {**pod, "spec": {**pod["spec"], "containers": containers}})
    world.run(30)
    (status,) = world.pod()["status"]["containerStatuses"]
    assert (status["image"], status["restartCount"], status["ready"]) == ("registry.lab/server:2", 1, True)
    assert (1, "Killing", "Container app definition changed, will be restarted") in world.events("web")
    assert world.pod()["status"]["observedGeneration"] == 2
