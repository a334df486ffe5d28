"""The same workloads as in the recorded clusters: controllers and kubelets must write what the real ones wrote."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from svcdoctor.lab.images import Image, Images
from svcdoctor.lab.images.agnhost import agnhost
from svcdoctor.lab.images.reference import parse
from svcdoctor.lab.images.system import coredns, kube_proxy
from svcdoctor.lab.images.toolbox import tool

from .world import World

CASES = Path(__file__).parents[2] / "cases"
PROGRAMS = {"agnhost": agnhost, "toolbox": tool, "coredns": coredns, "kube-proxy": kube_proxy}
ENTRYPOINTS = {"agnhost": ("/agnhost",), "coredns": ("/coredns",)}
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
KINDS = ("Deployment", "ReplicaSet", "DaemonSet", "Pod", "Event")
SCENARIOS = {
    "healthy": ("shop", 50),
    "crashloop": ("mail", 64),
    "readiness-gate": ("gate", 90),
    "probe-misconfigured": ("catalog", 52),
    "scaled-to-zero": ("batch", 60),
}


def recorded(scenario: str, namespace: str, plural: str) -> list[dict[str, Any]]:
    group = "api/v1" if plural in ("pods", "events") else "apis/apps/v1"
    path = CASES / f"iptables-{scenario}" / "api" / group / "namespaces" / namespace / f"{plural}.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())["items"]
    return found


def nodes() -> list[dict[str, Any]]:
    """The recorded nodes before their kubelets said anything; their pod ranges were the network plugin's secret."""
    found = json.loads((CASES / "iptables-healthy/api/api/v1/nodes.json").read_text())["items"]
    for number, node in enumerate(found, 1):
        del node["metadata"]["uid"], node["metadata"]["resourceVersion"], node["metadata"]["creationTimestamp"]
        del node["status"]["conditions"]
        node["spec"]["podCIDRs"] = [f"10.244.{number}.0/24"]
    return list(found)


def images(*objects: dict[str, Any]) -> Images:
    """A registry that has what these objects run, under the names that they use."""
    made = Images(())
    for name in re.findall(r'"image": "([^"]+)"', json.dumps(objects)):
        reference = parse(name)
        kind = reference.repository.rpartition("/")[2]
        entrypoint = ENTRYPOINTS.get(kind, ())
        made.add(Image(reference.repository, (reference.tag,), PROGRAMS[kind], entrypoint, preloaded=True))
    return made


def manifest(obj: dict[str, Any], kind: str, api_version: str) -> dict[str, Any]:
    """What somebody once applied."""
    meta = obj["metadata"]
    kept = {key: meta[key] for key in ("name", "namespace") if key in meta}
    kept["labels"] = {k: v for k, v in meta.get("labels", {}).items() if not k.startswith("topology.")}
    applied = {key: value for key, value in meta.get("annotations", {}).items() if key == LAST_APPLIED}
    spec = {key: value for key, value in obj["spec"].items() if key != "nodeName"}
    return {"apiVersion": api_version, "kind": kind, "metadata": kept | {"annotations": applied}, "spec": spec}


def live(scenario: str, namespace: str, seconds: float) -> World:
    """A lab that was given what was recorded, so long ago."""
    deployments = recorded(scenario, namespace, "deployments")
    loose = [pod for pod in recorded(scenario, namespace, "pods") if "ownerReferences" not in pod["metadata"]]
    world = World(nodes(), images(*deployments, *loose))
    world.apply(*(manifest(one, "Deployment", "apps/v1") for one in deployments))
    world.apply(*(manifest(one, "Pod", "v1") for one in loose))
    world.run(seconds)
    return world


MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ADDRESS = re.compile(r"(\d+\.){3}\d+")
LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"


def blurred(value: Any) -> Any:
    """The value without what differs from one run to the next: names' endings, uids, addresses, times, versions."""
    if isinstance(value, dict):
        return {key: blurred(item) for key, item in sorted(value.items()) if key not in ("apiVersion", "kind")}
    if isinstance(value, list):
        return [blurred(item) for item in value]
    if not isinstance(value, str):
        return value
    text = UID.sub("UID", MOMENT.sub("MOMENT", value))
    text = re.sub(r"\b(node|zone-)\d\b", r"\1N", ADDRESS.sub("ADDRESS", text))
    text = re.sub(r"^(containerd://)[0-9a-f]{64}$|^\S*sha256:[0-9a-f]{64}$|^\d+$", "OPAQUE", text)
    text = re.sub(r"\.18[0-9a-f]{14}$", ".TIME", text)
    text = re.sub(rf"\b([a-z][a-z-]*?)-{LETTERS}{{8,10}}-{LETTERS}{{5}}(?![a-z0-9])", r"\1-HASH-POD", text)
    text = re.sub(rf"\b([a-z][a-z-]*?)-{LETTERS}{{8,10}}(-?)(?![\w-])", r"\1-HASH\2", text)
    text = re.sub(rf"\bkube-proxy-{LETTERS}{{5}}\b", "kube-proxy-POD", text)
    text = re.sub("^default-scheduler-.*", "default-scheduler-HOST", text)
    return "HASH" if re.fullmatch(rf"{LETTERS}{{8,10}}", text) else text


def written(objects: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(blurred(one), sort_keys=True, indent=1) for one in objects)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("plural", ["deployments", "replicasets", "pods"])
def test_objects_are_those_that_real_controllers_and_kubelets_wrote(scenario, plural):
    namespace, seconds = SCENARIOS[scenario]
    world = live(scenario, namespace, seconds)
    assert written(world.all(plural, namespace)) == written(recorded(scenario, namespace, plural))


def said(events: list[dict[str, Any]]) -> set[str]:
    """What events say, without how often and in which order."""
    return {json.dumps(blurred(event | {"count": 1 if "count" in event else None}), sort_keys=True) for event in events}


@pytest.mark.parametrize("scenario", ["crashloop", "readiness-gate", "probe-misconfigured", "healthy"])
def test_events_are_in_the_words_of_the_real_components(scenario):
    namespace, seconds = SCENARIOS[scenario]
    world = live(scenario, namespace, seconds)
    assert said(world.all("events", namespace)) == said(recorded(scenario, namespace, "events"))


def test_a_probe_that_always_fails_is_written_25_times_and_then_every_five_minutes():
    world = live("probe-misconfigured", "catalog", 52)
    counts = [event["count"] for event in world.all("events", "catalog") if event["reason"] == "Unhealthy"]
    assert counts == [
        e["count"] for e in recorded("probe-misconfigured", "catalog", "events") if e["reason"] == "Unhealthy"
    ]
    world.run(minutes=60)
    event = next(event for event in world.all("events", "catalog") if event["reason"] == "Unhealthy")
    assert 1650 <= event["count"] <= 1826  # one probe in two seconds, seen up to five minutes late


def test_kube_system_is_as_recorded():
    deployments, daemonsets = (recorded("healthy", "kube-system", kind) for kind in ("deployments", "daemonsets"))
    world = World(nodes(), images(*deployments, *daemonsets))
    for name in ("coredns-files", "kube-proxy"):
        meta = {"name": name, "namespace": "kube-system"}
        world.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {}})
    world.apply(*(manifest(one, "Deployment", "apps/v1") for one in deployments))
    world.apply(*(manifest(one, "DaemonSet", "apps/v1") for one in daemonsets))
    world.run(60)
    for plural in ("deployments", "replicasets", "daemonsets", "pods"):
        assert written(world.all(plural, "kube-system")) == written(recorded("healthy", "kube-system", plural))


def test_a_restarted_rollout_is_as_recorded():
    """kubectl rollout restart: the template gets an annotation."""
    (final,) = recorded("proxy-stale", "stale", "deployments")
    template = final["spec"]["template"]
    plain = {**template, "metadata": {k: v for k, v in template["metadata"].items() if k != "annotations"}}
    world = World(nodes(), images(final, *recorded("proxy-stale", "stale", "pods")))
    world.apply(manifest({**final, "spec": {**final["spec"], "template": plain}}, "Deployment", "apps/v1"))
    for pod in recorded("proxy-stale", "stale", "pods"):
        if "ownerReferences" not in pod["metadata"]:
            world.apply(manifest(pod, "Pod", "v1"))
    world.run(26)
    world.change("deployments", "orders", "stale", template=template)
    world.run(30)
    for plural in ("deployments", "replicasets", "pods"):
        assert written(world.all(plural, "stale")) == written(recorded("proxy-stale", "stale", plural))
    ours, theirs = (
        sorted(blurred(event["message"]) for event in events if event["reason"] != "Unhealthy")
        for events in (world.all("events", "stale"), recorded("proxy-stale", "stale", "events"))
    )
    assert ours == theirs


def test_images_keep_their_programs():
    """A registry can be given another program under a known name."""
    made = images({"image": "registry.lab/agnhost:2"})
    image, _ = made.find("registry.lab/agnhost:2")
    made.add(structs.replace(image, tags=("3",)))
    assert made.find("registry.lab/agnhost:3")[0].run is agnhost
