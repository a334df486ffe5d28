"""A node, its pods and what is outside, as network namespaces: rules are loaded, and real packets sent.

Runs as ``unshare --net --mount python kernel.py``: that namespace is the node, the others are mounted in a /run of its
own, and all of it ends with the process. Takes one JSON object a line and answers with one: ``{"run": script, "with":
environment}`` or ``{"flows": [{"of", "source", "to", "port", "protocol", "tries", "patience"}]}``.
"""

import ctypes
import errno
import itertools
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

NODE = "node"
PODS = {"pod2": "10.244.1.2", "pod3": "10.244.1.3", "pod5": "10.244.1.5", "pod10": "10.244.1.10"}
OUTSIDE = (*(f"10.244.2.{last}" for last in range(2, 8)), "203.0.113.5", "198.18.0.9")
PORTS = (8080, 5353, 6443)
VIPS = ("10.96.0.0/12", "192.0.2.0/24", "198.51.100.0/24")
CLONE_NEWNET = 0x40000000
SOURCE_PORTS = itertools.count(10_000)
"""Each port is used once: conntrack sends later packets the way of the first, whatever the rules are by then."""

LIBC = ctypes.CDLL(None, use_errno=True)


def layout() -> str:
    """The script that makes the namespaces; what comes for a virtual address outside is sent to the node only if it is
    a client's, else it is lost."""
    lines = ["set -e", "mount -t tmpfs none /run", "mkdir /run/netns", "ip link set lo up"]
    lines += [f"sysctl -qw net.ipv4.{one}" for one in ("ip_forward=1", "conf.all.rp_filter=0", "icmp_ratelimit=0")]
    lines += ["sysctl -qw net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.all.route_localnet=1"]
    lines += [f"sysctl -qw net.ipv4.conf.{one}.send_redirects=0" for one in ("all", "default", "lo")]
    for name, address in PODS.items():
        lines += [
            f"ip netns add {name}",
            f"ip link add v{name} type veth peer name eth0 netns {name}",
            f"ip addr add 169.254.1.1/32 dev v{name}",
            f"ip link set v{name} up",
            f"ip route add {address} dev v{name}",
            f"ip -n {name} link set lo up",
            f"ip -n {name} addr add {address}/32 dev eth0",
            f"ip -n {name} link set eth0 up",
            f"ip -n {name} route add default via 169.254.1.1 dev eth0 onlink",
        ]
    lines += [
        "ip netns add out",
        "ip link add eth0 type veth peer name eth0 netns out",
        "ip addr add 172.30.0.11/24 dev eth0",
        "ip link set eth0 up",
        "ip -n out link set lo up",
        "ip -n out addr add 172.30.0.254/24 dev eth0",
        "ip -n out addr add 172.30.0.1/24 dev eth0",
        "ip -n out link set eth0 up",
        "ip route add default via 172.30.0.254",
        "ip -n out route add 10.244.1.0/24 via 172.30.0.11",
        *(f"ip -n out addr add {address}/32 dev lo" for address in OUTSIDE),
        *(f"ip -n out route add blackhole {network}" for network in VIPS),
        *(f"ip -n out route add {network} via 172.30.0.11 table 100" for network in VIPS),
        "ip -n out rule add from 203.0.113.0/24 table 100",
        "ip -n out rule add from 198.18.0.0/24 table 100",
        "ip netns exec out sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.icmp_ratelimit=0",
    ]
    return "\n".join(lines)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """What is opened in the block, by this thread, belongs to the namespace."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    other = own if name == NODE else os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if LIBC.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), name)
        yield
    finally:
        LIBC.setns(own, CLONE_NEWNET)
        for descriptor in {own, other}:
            os.close(descriptor)


def serve() -> None:
    """Every endpoint says its own address and port, and the client's address, to whoever asks."""
    watched = selectors.DefaultSelector()
    places = [*PODS.items(), *(("out", address) for address in (*OUTSIDE, "172.30.0.1"))]
    for name, address in places:
        with inside(name):
            for port in PORTS:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    bound = socket.socket(socket.AF_INET, kind)
                    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    bound.bind((address, port))
                    if kind == socket.SOCK_STREAM:
                        bound.listen(256)
                    watched.register(bound, selectors.EVENT_READ, f"{address}:{port}")
    threading.Thread(target=_answer, args=(watched,), daemon=True).start()


def _answer(watched: selectors.BaseSelector) -> None:
    while True:
        for key, _ in watched.select():
            bound = key.fileobj
            assert isinstance(bound, socket.socket)
            try:
                _answer_one(watched, bound, key.data)
            except OSError:  # the client left
                continue


def _answer_one(watched: selectors.BaseSelector, bound: socket.socket, name: str) -> None:
    """A connection is closed by the client first, so that its port is not in TIME_WAIT at an endpoint."""
    if not name:
        watched.unregister(bound)
        bound.close()
    elif bound.type == socket.SOCK_STREAM:
        connection, client = bound.accept()
        watched.register(connection, selectors.EVENT_READ, "")
        connection.sendall(f"{name} {client[0]}".encode())
    else:
        _, client = bound.recvfrom(64)
        bound.sendto(f"{name} {client[0]}".encode(), client)


def tried(flow: dict) -> str:
    """What became of a try: what the endpoint said, refused, timeout or unreachable."""
    with inside(flow["of"]):
        return _try(flow)


def _try(flow: dict) -> str:
    kind = socket.SOCK_STREAM if flow["protocol"] == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(flow["patience"])
        try:
            client.bind((flow["source"], next(SOURCE_PORTS)))
            client.connect((flow["to"], flow["port"]))
            if kind == socket.SOCK_DGRAM:
                client.send(b"?")
            return client.recv(64).decode()
        except TimeoutError:
            return "timeout"
        except (ConnectionRefusedError, ConnectionResetError):
            return "refused"
        except OSError as error:
            return "unreachable" if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH) else str(error)


def main() -> None:
    made = subprocess.run(["sh", "-c", layout()], capture_output=True, text=True, check=False)
    print(json.dumps({"code": made.returncode, "stderr": made.stderr}), flush=True)
    if made.returncode:
        return
    serve()
    with ThreadPoolExecutor(128) as pool:
        for line in sys.stdin:
            asked = json.loads(line)
            if "run" in asked:
                environment = {**os.environ, **asked["with"]}
                ran = subprocess.run(
                    ["sh", "-c", asked["run"]], env=environment, capture_output=True, text=True, check=False
                )
                answer: dict = {"code": ran.returncode, "stdout": ran.stdout, "stderr": ran.stderr}
            else:
                futures = [[pool.submit(tried, flow) for _ in range(flow["tries"])] for flow in asked["flows"]]
                answer = {"results": [[one.result() for one in tries] for tries in futures]}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
