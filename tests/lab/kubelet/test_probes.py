"""Probes: derived from what the program does, in the kubelet's words, and costing nothing while nothing changes."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab import base
from svcdoctor.lab.controllers.objects import NODES, PODS
from svcdoctor.lab.images import Launch, Program, Socket
from svcdoctor.lab.kubelet.instance import Instance
from svcdoctor.lab.kubelet.prober import Prober
from svcdoctor.lab.kubelet.probes import Outcome, Surroundings, check

from .world import START, World, conditions, deployment

LISTEN = ["--http=8080", "--health=/healthz"]
WAITING = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


def get(path="/healthz", port=8080, **more):
    return {"httpGet": {"path": path, "port": port, **more}}


def server(*args, **more):
    return base.server(args=[*LISTEN, *args], **more)


def said(args, probe):
    """What the readiness probe's event says; empty where the pod is well."""
    world = World(1)
    container = base.server(args=[*args, "--start-after=0"], readinessProbe={"periodSeconds": 1, **probe})
    world.apply(deployment(container))
    world.run(30)
    found = [message for _, reason, message in world.events("web-") if reason == "Unhealthy"]
    assert conditions(world.pod())["Ready"] == str(not found)
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("args", "probe", "message"),
    [
        (LISTEN, get(), ""),
        (LISTEN, get("/hostname"), ""),
        (LISTEN, get(port="http"), ""),
        (LISTEN, get("healthz"), ""),
        (LISTEN, {"tcpSocket": {"port": 8080}}, ""),
        (["--grpc=8080"], {"grpc": {"port": 8080}}, ""),
        (["--https=8080", "--health=/healthz"], get(scheme="HTTPS"), ""),
        ([*LISTEN, "--status=302"], get(), ""),
        (
            LISTEN,
            get(port=8081),
            'failed: Get "http://10.244.1.2:8081/healthz": dial tcp 10.244.1.2:8081: connect: connection refused',
        ),
        (
            [*LISTEN, "--bind=127.0.0.1"],
            get(),
            'failed: Get "http://10.244.1.2:8080/healthz": dial tcp 10.244.1.2:8080: connect: connection refused',
        ),
        (LISTEN, get("/readyz"), "failed: HTTP probe failed with statuscode: 404"),
        ([*LISTEN, "--status=500"], get(), "failed: HTTP probe failed with statuscode: 500"),
        ([*LISTEN, "--answer-after=3s"], get(), f'failed: Get "http://10.244.1.2:8080/healthz": {WAITING}'),
        ([*LISTEN, "--answer-after=3s"], get() | {"timeoutSeconds": 5}, ""),
        (LISTEN, get(port="web"), 'errored and resulted in unknown state: strconv.Atoi: parsing "web": invalid syntax'),
        (
            LISTEN,
            get(scheme="HTTPS"),
            'failed: Get "https://10.244.1.2:8080/healthz": http: server gave HTTP response to HTTPS client',
        ),
        (["--https=8080"], get(), "failed: HTTP probe failed with statuscode: 400"),
        (
            ["--tcp=8080"],
            get(),
            'failed: Get "http://10.244.1.2:8080/healthz": net/http: HTTP/1.x transport connection broken: '
            'malformed HTTP version "GET"',
        ),
        (LISTEN, {"tcpSocket": {"port": 9090}}, "failed: dial tcp 10.244.1.2:9090: connect: connection refused"),
        (
            LISTEN,
            {"grpc": {"port": 9090}},
            'failed: timeout: failed to connect service "10.244.1.2:9090" within 1s: context deadline exceeded',
        ),
        (
            ["--grpc=8080", "--status=500"],
            {"grpc": {"port": 8080}},
            'failed: service unhealthy (responded with "NOT_SERVING")',
        ),
        ([*LISTEN, "--ready-file=/tmp/ready"], {"exec": {"command": ["cat", "/tmp/ready"]}}, ""),
        (
            LISTEN,
            {"exec": {"command": ["cat", "/tmp/ready"]}},
            "failed: cat: can't open '/tmp/ready': No such file or directory\n",
        ),
        (LISTEN, {"exec": {"command": ["sh", "-c", "echo no; exit 1"]}}, "failed: no\n"),
        (
            LISTEN,
            {"exec": {"command": ["sh", "-c", "sleep 5"]}},
            'failed: command timed out: "sh -c sleep 5" timed out after 1s',
        ),
        (
            LISTEN,
            {"exec": {"command": ["curl", "localhost"]}},
            "errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: "
            "failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: "
            '"curl": executable file not found in $PATH',
        ),
    ],
)
def test_what_a_probe_says(args, probe, message):
    assert said(args, probe) == (f"Readiness probe {message}" if message else "")


def test_addresses_of_both_families():
    around = Surroundings(
        {}, _run(Program(sockets=(Socket(80, address="0.0.0.0"),))), "fd00::5", lambda: [_run(Program())], START
    )
    refused = 'Get "http://[fd00::5]:80/": dial tcp [fd00::5]:80: connect: connection refused'
    assert check(get("/", 80), around) == Outcome(False, refused)


@pytest.mark.parametrize(
    ("bound", "dialled", "accepts"),
    [
        ("::", "10.244.1.2", True),
        ("::", "fd00::2", True),
        ("0.0.0.0", "10.244.1.2", True),
        ("0.0.0.0", "127.0.0.1", True),
        ("0.0.0.0", "fd00::2", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "10.244.1.2", False),
        ("::1", "127.0.0.1", False),
        ("10.244.1.2", "10.244.1.2", True),
    ],
)
def test_where_a_socket_is_bound(bound, dialled, accepts):
    assert Socket(80, address=bound).accepts(dialled) == accepts


# --------------------------------------------------------------------------------------------------- what comes of them


def lived(container, seconds, **spec):
    world = World(1)
    world.apply(deployment(container, **spec))
    world.run(seconds)
    return world


def test_liveness_restarts_after_its_threshold():
    probe = {**get(), "periodSeconds": 10, "failureThreshold": 3}
    world = lived(server("--fail-after=60s", livenessProbe=probe, readinessProbe=None), 85)
    assert conditions(world.pod())["Ready"] == "True"
    world.run(10)
    (container,) = world.pod()["status"]["containerStatuses"]
    assert container["restartCount"] == 1
    assert container["lastState"]["terminated"]["exitCode"] == 0
    assert (1, "Killing", "Container app failed liveness probe, will be restarted") in world.events("web-")
    assert (3, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503") in world.events("web-")


def test_a_container_that_takes_no_notice_of_sigterm_is_killed():
    probe = {**get("/nope"), "periodSeconds": 1}
    world = lived(server("--stop-after=never", livenessProbe=probe), 30)
    ended = world.pod()["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "Error")


def test_startup_holds_the_others_back():
    startup = {**get(), "periodSeconds": 10, "failureThreshold": 12}
    liveness = {**get(), "periodSeconds": 1, "failureThreshold": 1}
    container = server("--start-after=60s", startupProbe=startup, livenessProbe=liveness)
    world = lived(container, 50)
    (status,) = world.pod()["status"]["containerStatuses"]
    assert (status["started"], status["ready"], status["restartCount"]) == (False, False, 0)
    world.run(30)
    (status,) = world.pod()["status"]["containerStatuses"]
    assert (status["started"], status["ready"], status["restartCount"]) == (True, True, 0)


def test_startup_gives_up():
    startup = {**get(), "periodSeconds": 5, "failureThreshold": 2}
    world = lived(server("--start-after=1h", startupProbe=startup), 60)
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] >= 2
    assert "Container app failed startup probe, will be restarted" in [
        message for _, _, message in world.events("web-")
    ]


def test_initial_delay():
    world = lived(server(readinessProbe={**get(), "initialDelaySeconds": 45, "periodSeconds": 5}), 44)
    assert conditions(world.pod())["Ready"] == "False"
    world.run(8)
    assert conditions(world.pod())["Ready"] == "True"
    assert not [reason for _, reason, _ in world.events("web-") if reason == "Unhealthy"]


def test_readiness_that_comes_and_goes():
    """Slow for 20 seconds of each minute: not ready about a third of the time."""
    probe = {**get(), "periodSeconds": 5, "timeoutSeconds": 1, "failureThreshold": 1}
    world = lived(server("--answer-after=1200ms", "--slow-for=20s", "--slow-every=60s", readinessProbe=probe), 60)
    seen = []
    for _ in range(600):
        world.run(1)
        seen.append(conditions(world.pod())["Ready"] == "True")
    assert 0.6 < sum(seen) / len(seen) < 0.75
    assert sum(one != other for one, other in pairwise(seen)) == 20
    late = f'Readiness probe failed: Get "http://10.244.1.2:8080/healthz": {WAITING}'
    (count,) = [count for count, _, message in world.events("web-") if message == late]
    assert 38 <= count <= 44  # 4 in each of 11 minutes, as far as it was written


def test_a_readiness_gate_waits_for_its_condition():
    gate = {"conditionType": "example.com/registered"}
    world = lived(base.server(), 30, readinessGates=[gate])
    assert conditions(world.pod())["ContainersReady"] == "True"
    for value, message in (
        (None, 'corresponding condition of pod readiness gate "example.com/registered" does not exist.'),
        ("False", 'the status of pod readiness gate "example.com/registered" is not "True", but False'),
        ("True", None),
    ):
        pod = world.pod()
        if value:
            others = [one for one in pod["status"]["conditions"] if one["type"] != gate["conditionType"]]
            made = [{"type": gate["conditionType"], "status": value}, *others]
            world.store.replace(PODS, {**pod, "status": {**pod["status"], "conditions": made}})
            world.run(2)
        ready = next(one for one in world.pod()["status"]["conditions"] if one["type"] == "Ready")
        assert (ready["status"], ready.get("message")) == (str(message is None), message)


def test_a_neighbour_that_begins_to_listen_is_noticed():
    """The probe asks a port on which the other container of the pod listens later."""
    one, other = server(readinessProbe=get("/", 9000)), base.server("late", args=["--http=9000", "--start-after=5m"])
    other.pop("readinessProbe")
    world = World(1)
    world.apply(deployment(one, other))
    world.run(280)
    assert conditions(world.pod())["Ready"] == "False"
    world.run(40)
    assert conditions(world.pod())["Ready"] == "True"


# ------------------------------------------------------------------------------------------------------------- its cost


def test_pods_that_are_well_cost_no_timers():
    node = base.node(1, 2000)
    world = World([{**node, "spec": {"podCIDRs": ["10.244.0.0/16"]}}])
    world.apply(deployment(base.server(livenessProbe=get()), replicas=500))
    world.run(120)
    assert all(conditions(pod)["Ready"] == "True" for pod in world.pods())
    idle = World(1)
    idle.run(120)
    assert world.busy() <= idle.busy() + 1
    before = world.store.revision
    world.run(9)
    assert world.store.revision - before <= 2  # the node's lease


def test_ten_thousand_pods_that_were_there_before_cost_no_timers():
    world = World(1)
    world.apply(deployment(base.server()))
    world.run(30)
    pattern = world.pod()
    quiet = World([base.node(1, 20_000)])
    quiet.kubelets.stop_node("node1")
    made = []
    for number in range(10_000):
        meta = {**pattern["metadata"], "name": f"web-{number}", "uid": f"uid-{number}"}
        address = f"10.244.1.{number % 250 + 2}"
        status = {**pattern["status"], "podIP": address, "podIPs": [{"ip": address}]}
        made.append(quiet.store.version({**pattern, "metadata": meta, "status": status}))
    quiet.store.load(PODS, made)
    before = quiet.busy()
    quiet.kubelets.begin()
    quiet.kubelets.start_node("node1")
    quiet.run(60)
    assert quiet.busy() <= before + 2
    assert quiet.get("pods", "web-77")["metadata"]["resourceVersion"] == made[77].load()["metadata"]["resourceVersion"]


def test_a_pod_that_was_there_before_is_taken_over_where_it_stands():
    """Another kubelet process: the container goes on, its probe and its restarts too."""
    world = lived(server("--exit-after=100s", livenessProbe=get()), 30)
    (before,) = world.pods()
    other = World(0)
    other.store.load(NODES, [other.store.version(world.get("nodes", "node1", ""))])
    other.store.load(PODS, [other.store.version(before)])
    other.run(30)
    other.kubelets.poke("default", before["metadata"]["name"])
    other.run(30)
    after = other.get("pods", before["metadata"]["name"])
    assert after["status"] == before["status"]
    other.run(60)
    (container,) = other.get("pods", before["metadata"]["name"])["status"]["containerStatuses"]
    assert container["restartCount"] == 1


# -------------------------------------------------------------------------------------- against a plain, ticking prober


def _run(program):
    return Instance("uid", Launch((), {}, {}, "app"), program, "", 0, START)


class _Scripted:
    """Succeeds and fails by a schedule of ages; knows when that changes next."""

    def __init__(self, flips, quiet):
        self.flips, self.quiet, self.now = flips, quiet, START
        self.told = []

    def well(self, now):
        age = (now - START).total_seconds()
        return sum(flip <= age for flip in self.flips) % 2 == 0

    def check(self, kind, probe):
        return Outcome(self.well(self.now))

    def tell(self, message, times):
        self.told.append(times)

    def told_next(self):
        return self.now + timedelta(seconds=self.quiet)

    def changes_next(self):
        age = (self.now - START).total_seconds()
        later = [flip for flip in self.flips if flip > age]
        return START + timedelta(seconds=min(later)) if later else None


@given(
    st.lists(st.integers(1, 300), max_size=6, unique=True).map(sorted),
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 60),
    st.sampled_from([0, 7, 300]),
)
def test_skipping_changes_nothing(flips, period, failures, successes, delay, quiet):
    """The same results at the same moments, and the same number of failures, as when every tick is run."""
    probe = {
        "periodSeconds": period,
        "failureThreshold": failures,
        "successThreshold": successes,
        "initialDelaySeconds": delay,
    }
    run, end = _run(Program()), START + timedelta(seconds=400)
    world, prober = _Scripted(flips, quiet), Prober("readiness", probe, START)
    prober.attend(run, START)
    changes = []
    while prober.next is not None and prober.next <= end:
        world.now = prober.next
        if prober.step(world.now, world):
            changes.append((world.now, prober.result))
    plain, expected, failed, streak = False, [], 0, (True, 0)
    for tick in range(0, 401, period):
        moment = START + timedelta(seconds=tick)
        if tick < delay:
            continue
        ok = world.well(moment)
        failed += not ok
        streak = (ok, streak[1] + 1 if streak[0] == ok else 1)
        if streak[1] >= (successes if ok else failures) and ok != plain:
            plain = ok
            expected.append((moment, ok))
    assert changes == expected
    assert sum(world.told) <= failed
    if quiet == 0 or world.well(end):
        assert sum(world.told) == failed
