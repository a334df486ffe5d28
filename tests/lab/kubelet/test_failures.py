"""Pods that don't get well: what their kubelet says and how often it tries, an hour later."""

import re

import pytest

from svcdoctor.lab import base

from .world import World, condition, conditions, deployment

LISTEN = ["--http=8080", "--health=/healthz"]
UNREADY = "containers with unready status: [app]"


def server(*args, **more):
    return base.server(args=[*LISTEN, *args], **more)


def lived(container, seconds=60.0, **spec):
    world = World()
    world.apply(deployment(container, **spec))
    world.run(seconds)
    return world


def counts(world, name="web-"):
    return {(reason, message): count for count, reason, message in world.events(name)}


def total(world, reason):
    return sum(count for count, seen, _ in world.events("web-") if seen == reason)


# ------------------------------------------------------------------------------------------------------------- crashes


def test_a_crash_loop_after_an_hour():
    """Restarts after 0, 10, 20, 40, 80, 160 and then every 300 seconds, each up to half as long again while short."""
    world = lived(server("--exit-after=2s", "--exit-code=3", "--log=no database"), 3600)
    status = world.pod()["status"]
    (container,) = status["containerStatuses"]
    uid, name = world.pod()["metadata"]["uid"], world.pod()["metadata"]["name"]
    assert 15 <= container["restartCount"] <= 17
    assert container["lastState"]["terminated"]["exitCode"] == 3
    assert container["lastState"]["terminated"]["reason"] == "Error"
    assert (status["phase"], container["ready"], container["started"]) == ("Running", False, False)
    assert conditions(world.pod())["Ready"] == "False"
    back_off = f"Back-off restarting failed container app in pod {name}_default({uid})"
    assert 45 <= counts(world)[("BackOff", back_off)] <= 75  # once a minute and after each end
    waiting = container["state"].get("waiting", {"reason": "CrashLoopBackOff"})
    assert waiting["reason"] == "CrashLoopBackOff"
    if "message" in waiting:
        assert waiting["message"] == f"back-off 5m0s restarting failed container=app pod={name}_default({uid})"


@pytest.mark.parametrize(
    ("seconds", "restarts"),
    [(1, 0), (5, 1), (45, 3), (140, 5), (700, 7)],
)
def test_the_first_restarts(seconds, restarts):
    world = lived({"name": "app", "image": "registry.lab/toolbox:1", "command": ["sh", "-c", "exit 1"]}, seconds)
    count = world.pod()["status"]["containerStatuses"][0]["restartCount"]
    assert restarts - 1 <= count <= restarts + 1


def test_who_runs_for_ten_minutes_is_forgiven():
    world = lived(server("--exit-after=601s"), 3700)
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] == 6
    assert total(world, "BackOff") == 0


def test_ready_flaps_with_every_start_where_there_is_no_probe():
    seen: set[str | None] = set()
    world = World()
    world.store.subscribe(lambda change: seen.update(conditions(pod).get("Ready") for pod in _begun(world)))
    world.apply(deployment({"name": "app", "image": "registry.lab/toolbox:1", "command": ["false"]}))
    world.run(60)
    assert seen - {None} == {"True", "False"}


def _begun(world):
    return [pod for pod in world.pods() if (pod.get("status") or {}).get("conditions")]


def test_out_of_memory():
    world = lived(server("--oom-after=2s"), 20)
    ended = world.pod()["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


def test_a_command_that_is_not_there():
    world = lived({"name": "app", "image": "registry.lab/toolbox:1", "command": ["serve"]}, 400)
    (container,) = world.pod()["status"]["containerStatuses"]
    ended = container["lastState"]["terminated"]
    why = 'error during container init: exec: "serve": executable file not found in $PATH'
    assert (ended["exitCode"], ended["reason"], ended["startedAt"]) == (128, "StartError", "1970-01-01T00:00:00Z")
    assert ended["message"].endswith(why)
    assert container["state"]["waiting"]["reason"] in ("CrashLoopBackOff", "RunContainerError")
    assert any(
        reason == "Failed" and message.startswith("Error: failed to create") for reason, message in counts(world)
    )


def test_two_containers_on_one_port():
    world = World()
    world.apply(deployment(server(), server(name="metrics", ports=None)))
    world.run(120)
    app, metrics = world.pod()["status"]["containerStatuses"]
    assert (app["restartCount"], app["ready"]) == (0, True)
    assert metrics["restartCount"] >= 3
    lines = [line for _, line in world.kubelets.log(world.pod(), "metrics", previous=True)]
    assert lines == ["listen tcp :8080: bind: address already in use"]


# -------------------------------------------------------------------------------------------------------------- images

NOT_FOUND = (
    'failed to pull and unpack image "registry.lab/server:typo": failed to resolve reference '
    '"registry.lab/server:typo": registry.lab/server:typo: not found'
)


def test_an_image_that_does_not_exist():
    world = lived(server(image="registry.lab/server:typo"), 5)
    whole = f"rpc error: code = NotFound desc = {NOT_FOUND}"
    assert world.state() == {"waiting": {"reason": "ErrImagePull", "message": whole}}
    world.run(600)
    message = f'Back-off pulling image "registry.lab/server:typo": ErrImagePull: {whole}'
    assert world.state()["waiting"] == {"reason": "ImagePullBackOff", "message": message}
    assert conditions(world.pod())["PodReadyToStartContainers"] == "True"
    assert world.pod()["status"]["phase"] == "Pending"
    found = counts(world)
    assert set(found) >= {
        ("Pulling", 'Pulling image "registry.lab/server:typo"'),
        ("Failed", f'Failed to pull image "registry.lab/server:typo": {whole}'),
        ("Failed", "Error: ErrImagePull"),
        ("BackOff", 'Back-off pulling image "registry.lab/server:typo"'),
        ("Failed", "Error: ImagePullBackOff"),
    }
    assert found[("Pulling", 'Pulling image "registry.lab/server:typo"')] in (6, 7)  # at 0, 10, 30, 70, 150, 310, 610


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (
            "nope",
            "pull access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed",
        ),
        ("images.example/app:1", "dial tcp: lookup images.example on 172.30.0.1:53: no such host"),
    ],
)
def test_images_that_are_nowhere(image, words):
    world = lived(server(image=image), 5)
    assert world.state()["waiting"]["reason"] == "ErrImagePull"
    assert world.state()["waiting"]["message"].endswith(words)


@pytest.mark.parametrize(
    ("image", "policy", "reason", "message"),
    [
        ("registry.lab/nope:1", "Never", "ErrImageNeverPull",
         'Container image "registry.lab/nope:1" is not present with pull policy of Never'),
        ("registry.lab/Server:1", "Always", "InvalidImageName",
         'Failed to apply default image tag "registry.lab/Server:1": couldn\'t parse image name '
         '"registry.lab/Server:1": repository name must be lowercase'),
        ("web::1", "Always", "InvalidImageName",
         'Failed to apply default image tag "web::1": couldn\'t parse image name "web::1": invalid reference format'),
    ],
)  # fmt: skip
def test_images_that_are_not_even_pulled(image, policy, reason, message):
    world = lived(server(image=image, imagePullPolicy=policy), 60)
    assert world.state() == {"waiting": {"reason": reason, "message": message}}
    assert ("Failed", f"Error: {reason}") in counts(world)
    assert 4 <= counts(world)[("Failed", f"Error: {reason}")] <= 8  # every 10 to 15 seconds


def test_an_image_is_pulled_once_per_node():
    world = World(1)
    world.apply(deployment({"name": "app", "image": "registry.lab/toolbox:1", "command": ["sleep", "infinity"]}))
    world.run(10)
    pulled = 'Successfully pulled image "registry.lab/toolbox:1" in 2.147s (2.147s including waiting). '
    assert (1, "Pulled", f"{pulled}Image size: 73892570 bytes.") in world.events("web-")
    world.change("deployments", "web", replicas=2)
    world.run(10)
    present = 'Container image "registry.lab/toolbox:1" already present on machine and can be accessed by the pod'
    assert (1, "Pulled", present) in world.events("web-")


# ------------------------------------------------------------------------------------------------------- configuration


def ref(kind, name="settings", key="mode", **more):
    return server(env=[{"name": "MODE", "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key, **more}}}])


def configmap(name="settings", **data):
    return {**base.plain("v1", "ConfigMap", name, "default"), "data": data}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (ref("configMap"), 'configmap "settings" not found'),
        (ref("secret"), 'secret "settings" not found'),
        (ref("configMap", "other", "absent"), "couldn't find key absent in ConfigMap default/other"),
        (server(envFrom=[{"secretRef": {"name": "settings"}}]), 'secret "settings" not found'),
    ],
)
def test_a_variable_whose_source_is_missing(container, message):
    world = World()
    world.apply(configmap("other", mode="x"), deployment(container))
    world.run(60)
    assert world.state() == {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
    assert 4 <= counts(world)[("Failed", f"Error: {message}")] <= 8
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] == 0


def test_it_starts_when_the_source_is_there():
    world = lived(ref("configMap"), 60)
    world.apply(configmap(mode="fast"))
    world.run(30)
    assert conditions(world.pod())["Ready"] == "True"


def test_optional_sources_may_be_missing():
    world = lived(ref("configMap", optional=True), 30)
    assert conditions(world.pod())["Ready"] == "True"


def test_a_volume_whose_source_is_missing():
    volumes = [{"name": "config", "configMap": {"name": "settings"}}]
    world = lived(server(volumeMounts=[{"name": "config", "mountPath": "/etc/app"}]), 200, volumes=volumes)
    assert world.state() == {"waiting": {"reason": "ContainerCreating"}}
    assert conditions(world.pod())["PodReadyToStartContainers"] == "False"
    message = 'MountVolume.SetUp failed for volume "config" : configmap "settings" not found'
    assert counts(world)[("FailedMount", message)] == 8  # at 0, 1, 3, 7, 15, 31, 63 and 127 seconds
    world.apply(configmap())
    world.run(130)
    assert conditions(world.pod())["Ready"] == "True"


def test_a_node_without_addresses_left():
    node = base.node(1)
    node["spec"] = {"podCIDRs": ["10.244.1.0/29"]}  # five pods
    world = World([node])
    world.apply(deployment(base.server(), replicas=6))
    world.run(60)
    (left,) = [pod for pod in world.pods() if conditions(pod)["Ready"] == "False"]
    assert left["status"].get("podIP") is None
    assert left["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    found = [m for _, r, m in world.events(left["metadata"]["name"]) if r == "FailedCreatePodSandBox"]
    assert found and found[0].endswith(
        "failed to allocate for range 0: no IP addresses available in range set: 10.244.1.1-10.244.1.6"
    )
    gone = next(pod for pod in world.pods() if pod is not left and conditions(pod)["Ready"] == "True")
    world.change("deployments", "web", replicas=5)
    world.run(60)
    assert len(world.pods()) == 5
    assert gone["status"]["podIP"] != ""


# ----------------------------------------------------------------------------------------------------- init containers


def tool(name, script, **more):
    return {"name": name, "image": "registry.lab/toolbox:1", "command": ["sh", "-c", script], **more}


def test_init_containers_go_first_and_one_after_another():
    inits = [tool("first", "sleep 5"), tool("second", "sleep 5")]
    world = lived(server(), 7, initContainers=inits)
    status = world.pod()["status"]
    assert [list(one["state"]) for one in status["initContainerStatuses"]] == [["running"], ["waiting"]]
    assert status["initContainerStatuses"][1]["state"]["waiting"] == {"reason": "PodInitializing"}
    assert status["containerStatuses"][0]["state"]["waiting"] == {"reason": "PodInitializing"}
    initialized = condition(world.pod(), "Initialized")
    assert initialized["message"] == "containers with incomplete status: [first second]"
    assert (status["phase"], initialized["reason"]) == ("Pending", "ContainersNotInitialized")
    world.run(30)
    status = world.pod()["status"]
    assert [one["state"]["terminated"]["reason"] for one in status["initContainerStatuses"]] == ["Completed"] * 2
    assert conditions(world.pod())["Initialized"] == conditions(world.pod())["Ready"] == "True"


def test_an_init_container_that_fails_is_tried_again():
    world = lived(server(), 300, initContainers=[tool("setup", "echo no; exit 4")])
    (init,) = world.pod()["status"]["initContainerStatuses"]
    assert init["restartCount"] >= 5
    assert world.pod()["status"]["phase"] == "Pending"
    assert condition(world.pod(), "Initialized")["status"] == "False"


def test_a_sidecar_starts_first_and_stays():
    sidecar = {**base.server("proxy", 9000), "restartPolicy": "Always"}
    sidecar |= {"startupProbe": {"tcpSocket": {"port": 9000}, "periodSeconds": 1}}
    world = lived(server(), 60, initContainers=[sidecar])
    status = world.pod()["status"]
    assert status["initContainerStatuses"][0]["started"] is True
    assert conditions(world.pod())["Ready"] == "True"
    assert status["phase"] == "Running"


def test_a_sidecar_that_is_not_ready_keeps_the_pod_from_being_ready():
    sidecar = {**base.server("proxy", 9000), "restartPolicy": "Always", "args": ["--http=9000"]}
    world = lived(server(), 60, initContainers=[sidecar])
    assert condition(world.pod(), "Ready")["message"] == "containers with unready status: [proxy]"


# ---------------------------------------------------------------------------------------------------------- completion


@pytest.mark.parametrize(
    ("policy", "script", "phase", "reason"),
    [
        ("Never", "exit 0", "Succeeded", "PodCompleted"),
        ("Never", "exit 3", "Failed", "PodFailed"),
        ("OnFailure", "exit 0", "Succeeded", "PodCompleted"),
    ],
)
def test_pods_that_end(policy, script, phase, reason):
    world = World()
    spec = {"containers": [tool("app", f"sleep 3; {script}")], "restartPolicy": policy}
    world.apply(base.pod("web", spec, {"app": "web"}))
    world.run(60)
    pod = world.pod()
    assert pod["status"]["phase"] == phase
    assert condition(pod, "Ready")["reason"] == condition(pod, "ContainersReady")["reason"] == reason
    assert conditions(pod)["PodReadyToStartContainers"] == "False"
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == int(script[-1])
    assert world.busy() <= 6


def test_on_failure_restarts():
    world = World()
    spec = {"containers": [tool("app", "exit 3")], "restartPolicy": "OnFailure"}
    world.apply(base.pod("web", spec, {"app": "web"}))
    world.run(120)
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] >= 4
    assert world.pod()["status"]["phase"] == "Running"


def test_a_sidecar_does_not_keep_a_pod_from_ending():
    world = World()
    sidecar = {**base.server("proxy", 9000), "restartPolicy": "Always"}
    spec = {"initContainers": [sidecar], "containers": [tool("app", "sleep 5")], "restartPolicy": "Never"}
    world.apply(base.pod("web", spec, {"app": "web"}))
    world.run(60)
    assert world.pod()["status"]["phase"] == "Succeeded"
    assert "terminated" in world.pod()["status"]["initContainerStatuses"][0]["state"]


# --------------------------------------------------------------------------------------------------------- termination


@pytest.mark.parametrize(
    ("args", "grace", "after", "code"),
    [
        (["--stop-after=5s"], 30, 5, 0),
        (["--stop-after=never"], 30, 30, 137),
        ([], 30, 0, 0),
    ],
)
def test_containers_end_as_they_like_within_their_grace(args, grace, after, code):
    world = World()
    spec = {"containers": [server(*args)], "terminationGracePeriodSeconds": grace}
    world.apply(base.pod("web", spec, {"app": "web"}))
    world.run(30)
    last = []
    world.store.subscribe(lambda change: last.append(change.last.load()) if change.last.name == "web" else None)
    world.delete("pods", "web")
    pod = world.pod()
    assert pod["metadata"]["deletionGracePeriodSeconds"] == grace
    if after > 1:
        world.run(after - 1)
        assert conditions(world.pod())["Ready"] == "True"
    world.run(3)
    assert world.pods() == []
    assert last[-1]["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == code
    assert (1, "Killing", "Stopping container app") in world.events("web")


def test_a_pre_stop_hook_comes_first():
    world = World()
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "sleep 8"]}}}
    world.apply(base.pod("web", base.pod_spec(server(lifecycle=hook)), {"app": "web"}))
    world.run(30)
    world.delete("pods", "web")
    world.run(7)
    assert conditions(world.pod())["Ready"] == "True"
    world.run(3)
    assert world.pods() == []


def test_a_shortened_grace_and_a_forced_end():
    world = World()
    spec = {"containers": [server("--stop-after=never")], "terminationGracePeriodSeconds": 3600}
    world.apply(base.pod("web", spec, {"app": "web"}), base.pod("other", spec, {"app": "other"}))
    world.run(30)
    world.delete("pods", "web")
    world.delete("pods", "other")
    world.run(60)
    world.delete("pods", "web", grace=20)
    world.run(15)
    assert len(world.pods()) == 1  # the kubelet begins to count anew
    world.run(10)
    assert world.pods() == []
    address = world.pod("other")["status"]["podIP"]
    world.delete("pods", "other", grace=0)
    assert world.pods("other") == []
    world.run(1)
    assert re.fullmatch(r"10\.244\.\d\.\d+", address)
