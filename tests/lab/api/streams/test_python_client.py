"""The official Python client against the streams."""

import asyncio
import json
import threading

from kubernetes import client
from kubernetes.stream import portforward, stream

from .bench import REFUSED, SANDBOX, Bench, run
from .processes import NOT_FOUND


def _api(bench: Bench) -> client.CoreV1Api:
    configuration = client.Configuration(host=bench.url)
    configuration.verify_ssl = False
    return client.CoreV1Api(client.ApiClient(configuration))


def _exec(bench: Bench, *command: str, **options):
    asked = {"stdin": False, "stdout": True, "stderr": True, "tty": False, "_preload_content": False, **options}
    api = _api(bench)
    return stream(api.connect_get_namespaced_pod_exec, "x", "default", command=list(command), **asked)


def _close(forwarded) -> None:
    """Closes what the client leaves to the garbage collector, and waits for its thread."""
    for thread in threading.enumerate():
        if thread.name.startswith("Kubernetes port forward proxy"):
            thread.join(10)
    forwarded.close()
    forwarded.websocket.shutdown()


def test_exec_has_both_outputs_and_an_exit_code():
    def ask(bench: Bench) -> tuple[str, str, int]:
        answer = _exec(bench, "sh", "-c", "echo out; echo err >&2; exit 3")
        answer.run_forever(timeout=10)
        answer.sock.shutdown()  # close() would leave the socket to the garbage collector
        return answer.read_stdout(), answer.read_stderr(), answer.returncode

    async def test(bench: Bench) -> None:
        assert await asyncio.to_thread(ask, bench) == ("out\n", "err\n", 3)
        assert bench.upgrades == ["websocket v5.channel.k8s.io,v4.channel.k8s.io"]

    run(test)


def test_exec_has_stdin():
    def ask(bench: Bench) -> tuple[list[str], int]:
        answer = _exec(bench, "cat", stdin=True)
        said = []
        for line in ("hello", "there"):
            answer.write_stdin(line + "\n")
            said.append(answer.readline_stdout(timeout=10))
        answer.close_channel(0)
        answer.run_forever(timeout=10)
        answer.sock.shutdown()
        return said, answer.returncode

    async def test(bench: Bench) -> None:
        assert await asyncio.to_thread(ask, bench) == (["hello", "there"], 0)

    run(test)


def test_exec_tells_why_a_command_cannot_start():
    def ask(bench: Bench) -> str:
        answer = _exec(bench, "nosuch")
        answer.run_forever(timeout=10)
        answer.sock.shutdown()
        said: str = answer.read_channel(3)
        return said

    async def test(bench: Bench) -> None:
        cause = f"error executing command in container: {NOT_FOUND.format('nosuch')}"
        assert json.loads(await asyncio.to_thread(ask, bench)) == {
            "metadata": {},
            "status": "Failure",
            "message": f"Internal error occurred: Internal error occurred: {cause}",
            "reason": "InternalError",
            "details": {"causes": [{"message": f"Internal error occurred: {cause}"}]},
            "code": 500,
        }

    run(test)


def test_port_forward_carries_a_connection_for_each_port():
    def ask(bench: Bench) -> list[bytes]:
        forwarded = portforward(_api(bench).connect_get_namespaced_pod_portforward, "x", "default", ports="8080,9090")
        said = []
        for port in (8080, 9090):
            socket = forwarded.socket(port)
            socket.settimeout(10)
            socket.sendall(b"%d" % port)
            said.append(socket.recv(100))
        for port in (8080, 9090):  # their end is only told when all have ended
            assert forwarded.socket(port).recv(100) == b""
            assert forwarded.error(port) is None
        _close(forwarded)
        return said

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"you said " + await reader.read(100))
        writer.close()

    async def test(bench: Bench) -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            bench.ports[8080] = bench.ports[9090] = server.sockets[0].getsockname()[1]
            assert await asyncio.to_thread(ask, bench) == [b"you said 8080", b"you said 9090"]
        assert bench.upgrades == ["websocket v5.channel.k8s.io,v4.channel.k8s.io"]

    run(test)


def test_port_forward_tells_that_a_port_refuses():
    def ask(bench: Bench) -> tuple[bytes, str]:
        forwarded = portforward(_api(bench).connect_get_namespaced_pod_portforward, "x", "default", ports="81")
        socket = forwarded.socket(81)
        socket.settimeout(10)
        said = socket.recv(100), forwarded.error(81)
        _close(forwarded)
        return said

    async def test(bench: Bench) -> None:
        said = f"error forwarding port 81 to pod {SANDBOX}, uid : {REFUSED.format(81)}"
        assert await asyncio.to_thread(ask, bench) == (b"", said)

    run(test)
