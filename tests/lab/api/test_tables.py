"""Tables: the recorded ones, and what each status of a pod comes down to."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.table_cells import human_duration
from svcdoctor.lab.api.tables import CELLS, columns, table
from svcdoctor.lab.resources import RESOURCES, find_resource, named
from tests.lab.recorded import WIRE, exchange

SLICES = find_resource("discovery.k8s.io", "v1", "endpointslices")
NOW = datetime(2026, 11, 23, 2, 19, 22, tzinfo=UTC)
CREATED = "2026-11-23T02:18:30Z"


def cells(plural, item, now=NOW):
    item = {**item, "metadata": {"name": "x", "creationTimestamp": CREATED, **item.get("metadata", {})}}
    (row,) = table(named(plural), [item], {}, now)["rows"]
    assert len(row["cells"]) == len(columns(named(plural)))
    return row["cells"]


def items(*names):
    return [item for name in names for item in exchange(name).json()["items"]]


# ------------------------------------------------------------------------------------------------------------- recorded


@pytest.mark.parametrize(
    ("name", "resource", "objects"),
    [
        ("list-pods-table", named("pods"), items("list-pods-page1", "list-pods-page2")),
        ("list-services-table", named("services"), [exchange("get-service").json()]),
        ("list-endpointslices-table", SLICES, items("list-slices-by-label")),
    ],
)
def test_the_recorded_table(name, resource, objects):
    wanted = exchange(name).json()
    ours = table(resource, objects, wanted["metadata"], NOW)
    assert json.dumps(ours) == json.dumps(wanted)


def test_metadata_alone_are_the_rows_objects():
    objects = items("list-pods-page1", "list-pods-page2")
    rows = table(named("pods"), objects, {}, NOW)["rows"]
    assert [row["object"] for row in rows] == exchange("list-pods-partial-metadata").json()["items"]
    assert table(named("pods"), objects, {}, NOW, "Object")["rows"][0]["object"] == objects[0]
    assert table(named("pods"), objects, {}, NOW, "None")["rows"][0]["object"] is None


def printed(command):
    """The lines of kubectl's answer to one command, split at two or more spaces."""
    text = (WIRE / "kubectl.txt").read_text().partition(f"$ {command}\n")[2].partition("\nexit")[0]
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_the_events_that_kubectl_printed():
    """Ages differ by the minute that passed between the two recordings."""
    shown = [line[1:] for line in printed("kubectl -n shop get events") if line[3:4] and line[3].startswith("pod/")]
    events = items("list-events-by-field")
    rows = [row["cells"] for row in table(named("events"), events, {}, NOW)["rows"]]
    visible = [one["priority"] == 0 for one in columns(named("events"))]
    ours = [[cell for cell, seen in zip(row, visible, strict=True) if seen][1:] for row in rows]
    assert ours == shown


# ---------------------------------------------------------------------------------------------------------------- pods


def state(**fields):
    return {"name": "app", "ready": False, "restartCount": 0, "state": {}, **fields}


RUNNING = state(ready=True, state={"running": {}})
DONE = state(state={"terminated": {"exitCode": 0, "reason": "Completed"}})


def pod(phase="Running", containers=(), inits=(), spec=None, conditions=(), reason="", **meta):
    spec = {"containers": [{"name": "app"}] * max(len(containers), 1), **(spec or {})}
    status = {"phase": phase, "containerStatuses": list(containers), "initContainerStatuses": list(inits)}
    status["conditions"] = [{"type": kind, "status": "True"} for kind in conditions]
    return {"metadata": meta, "spec": spec, "status": {**status, "reason": reason}}


INITS = {"initContainers": [{"name": "one"}, {"name": "two"}]}
SIDECAR = {"initContainers": [{"name": "side", "restartPolicy": "Always"}]}


@pytest.mark.parametrize(
    ("item", "ready", "status", "restarts"),
    [
        (pod("Pending"), "0/1", "Pending", "0"),
        (pod(containers=[RUNNING]), "1/1", "Running", "0"),
        (pod(containers=[RUNNING, state(state={"waiting": {"reason": "ErrImagePull"}})]), "1/2", "ErrImagePull", "0"),
        (pod("Pending", [state(state={"waiting": {"reason": "ContainerCreating"}})]), "0/1", "ContainerCreating", "0"),
        (
            pod(
                containers=[
                    state(
                        restartCount=3,
                        state={"waiting": {"reason": "CrashLoopBackOff"}},
                        lastState={"terminated": {"exitCode": 1, "finishedAt": "2026-11-23T02:14:22Z"}},
                    )
                ]
            ),
            "0/1",
            "CrashLoopBackOff",
            "3 (5m ago)",
        ),
        (pod("Succeeded", [DONE]), "0/1", "Completed", "0"),
        (pod(containers=[DONE, RUNNING], conditions=["Ready"]), "1/2", "Running", "0"),
        (pod(containers=[DONE, RUNNING]), "1/2", "NotReady", "0"),
        (pod("Failed", [state(state={"terminated": {"exitCode": 2}})]), "0/1", "ExitCode:2", "0"),
        (pod("Failed", [state(state={"terminated": {"exitCode": 137, "signal": 9}})]), "0/1", "Signal:9", "0"),
        (
            pod("Failed", [state(state={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})]),
            "0/1",
            "OOMKilled",
            "0",
        ),
        (pod("Failed", reason="Evicted"), "0/1", "Evicted", "0"),
        (pod(containers=[RUNNING], deletionTimestamp=CREATED), "1/1", "Terminating", "0"),
        (pod(containers=[RUNNING], deletionTimestamp=CREATED, reason="NodeLost"), "1/1", "Unknown", "0"),
        (pod("Succeeded", [DONE], deletionTimestamp=CREATED), "0/1", "Completed", "0"),
        (pod("Pending", inits=[state(name="one", state={"running": {}})], spec=INITS), "0/1", "Init:0/2", "0"),
        (
            pod("Pending", inits=[{**DONE, "name": "one"}, state(name="two", state={"running": {}})], spec=INITS),
            "0/1",
            "Init:1/2",
            "0",
        ),
        (
            pod(
                "Pending", inits=[state(name="one", restartCount=2, state={"terminated": {"exitCode": 1}})], spec=INITS
            ),
            "0/1",
            "Init:ExitCode:1",
            "2",
        ),
        (
            pod("Pending", inits=[state(name="one", state={"waiting": {"reason": "ImagePullBackOff"}})], spec=INITS),
            "0/1",
            "Init:ImagePullBackOff",
            "0",
        ),
        (
            pod("Pending", inits=[state(name="one", state={"waiting": {"reason": "PodInitializing"}})], spec=INITS),
            "0/1",
            "Init:0/2",
            "0",
        ),
        (
            pod(
                "Pending",
                [state(state={"waiting": {"reason": "PodInitializing"}})],
                [{**DONE, "name": "one"}, {**DONE, "name": "two", "restartCount": 4}],
                INITS,
            ),
            "0/1",
            "PodInitializing",
            "0",
        ),
        (
            pod(
                containers=[RUNNING],
                inits=[state(name="side", started=True, ready=True, restartCount=1, state={"running": {}})],
                spec=SIDECAR,
            ),
            "2/2",
            "Running",
            "1",
        ),
    ],
)
def test_a_pods_status(item, ready, status, restarts):
    assert cells("pods", item)[1:4] == [ready, status, restarts]


def test_a_gated_pod():
    item = pod("Pending")
    item["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
    assert cells("pods", item)[2] == "SchedulingGated"


def test_readiness_gates_are_counted():
    item = pod(containers=[RUNNING], spec={"readinessGates": [{"conditionType": "a"}, {"conditionType": "b"}]})
    item["status"]["conditions"] = [{"type": "a", "status": "True"}, {"type": "b", "status": "False"}]
    assert cells("pods", item)[8] == "1/2"


def test_a_pod_that_is_over_says_so_beside_its_row():
    (row,) = table(named("pods"), [{**pod("Failed"), "metadata": {"name": "x"}}], {}, NOW)["rows"]
    assert row["conditions"] == [
        {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}
    ]


# --------------------------------------------------------------------------------------------------------- other kinds

SERVICE_PORTS = [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP", "nodePort": 30053}]
TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:2"}]}}


@pytest.mark.parametrize(
    ("plural", "item", "wanted"),
    [
        (
            "services",
            {"spec": {"type": "ClusterIP", "clusterIP": "None", "ports": SERVICE_PORTS}},
            ["ClusterIP", "None", "<none>", "80/TCP,53:30053/UDP", "52s", "<none>"],
        ),
        (
            "services",
            {"spec": {"type": "ExternalName", "externalName": "db.example"}},
            ["ExternalName", "<none>", "db.example", "<none>", "52s", "<none>"],
        ),
        (
            "services",
            {"spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.9"], "selector": {"b": "2", "a": "1"}}},
            ["LoadBalancer", "10.96.0.9", "<pending>", "<none>", "52s", "a=1,b=2"],
        ),
        (
            "services",
            {
                "spec": {"type": "LoadBalancer", "externalIPs": ["192.0.2.9"]},
                "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.2"}, {"hostname": "lb.example"}]}},
            },
            ["LoadBalancer", "<none>", "192.0.2.2,lb.example,192.0.2.9", "<none>", "52s", "<none>"],
        ),
        ("endpoints", {"subsets": []}, ["<none>", "52s"]),
        (
            "endpoints",
            {
                "subsets": [
                    {
                        "addresses": [{"ip": f"10.0.0.{last}"} for last in range(1, 6)],
                        "ports": [{"port": 80}],
                    }
                ]
            },
            ["10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...", "52s"],
        ),
        (
            "endpoints",
            {"subsets": [{"addresses": [{"ip": "fd00::1"}], "ports": [{"port": 80}]}]},
            ["[fd00::1]:80", "52s"],
        ),
        (
            "endpointslices",
            {"addressType": "IPv4", "endpoints": None, "ports": None},
            ["IPv4", "<unset>", "<unset>", "52s"],
        ),
        (
            "endpointslices",
            {"addressType": "IPv4", "endpoints": [], "ports": [{"name": ""}]},
            ["IPv4", "*", "<unset>", "52s"],
        ),
        (
            "deployments",
            {
                "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
                "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
            },
            ["2/3", 3, 1, "52s", "a,b", "a:1,b:2", "app=web"],
        ),
        (
            "replicasets",
            {"spec": {"replicas": 3, "template": TEMPLATE}, "status": {"replicas": 2, "readyReplicas": 1}},
            [3, 2, 1, "52s", "a,b", "a:1,b:2", "<none>"],
        ),
        (
            "statefulsets",
            {"spec": {"replicas": 3, "template": TEMPLATE}, "status": {}},
            ["0/3", "52s", "a,b", "a:1,b:2"],
        ),
        (
            "daemonsets",
            {
                "spec": {"template": {"spec": {**TEMPLATE["spec"], "nodeSelector": {"zone": "a"}}}},
                "status": {"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "numberReady": 1},
            },
            [2, 2, 1, 0, 0, "zone=a", "52s", "a,b", "a:1,b:2", "<none>"],
        ),
        (
            "jobs",
            {
                "spec": {"completions": 2, "template": TEMPLATE},
                "status": {"succeeded": 1, "startTime": "2026-11-23T02:19:00Z"},
            },
            ["Running", "1/2", "22s", "52s", "a,b", "a:1,b:2", "<none>"],
        ),
        (
            "nodes",
            {
                "metadata": {"labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "x"}},
                "spec": {"unschedulable": True},
                "status": {
                    "conditions": [{"type": "Ready", "status": "Unknown"}],
                    "addresses": [{"type": "InternalIP", "address": "172.30.0.11"}],
                    "nodeInfo": {"kubeletVersion": "v1.36.2"},
                },
            },
            [
                *("NotReady,SchedulingDisabled", "control-plane,x", "52s", "v1.36.2", "172.30.0.11", "<none>"),
                *("<unknown>", "<unknown>", "<unknown>"),
            ],
        ),
        ("namespaces", {"status": {"phase": "Terminating"}}, ["Terminating", "52s"]),
        ("configmaps", {"data": {"a": "b"}, "binaryData": {"c": "ZA=="}}, [2, "52s"]),
        (
            "networkpolicies",
            {"spec": {"podSelector": {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["y", "x"]}]}}},
            ["a notin (x,y)", "52s"],
        ),
        (
            "ingresses",
            {"spec": {"rules": [{"host": "a.example"}, {}], "tls": [{}]}},
            ["<none>", "a.example", "", "80, 443", "52s"],
        ),
        (
            "gateways",
            {
                "spec": {"gatewayClassName": "c"},
                "status": {
                    "addresses": [{"value": "192.0.2.1"}],
                    "conditions": [{"type": "Programmed", "status": "True"}],
                },
            },
            ["c", "192.0.2.1", "True", "52s"],
        ),
        ("clusternetworkpolicies", {"spec": {"tier": "Admin", "priority": 10}}, ["Admin", "10", "52s"]),
    ],
)
def test_rows(plural, item, wanted):
    assert cells(plural, item)[1:] == wanted


def test_an_event_in_series():
    event = {
        "involvedObject": {"kind": "Pod", "name": "web-0"},
        "eventTime": CREATED,
        "series": {"count": 7, "lastObservedTime": "2026-11-23T02:19:12.123456Z"},
        "message": " x \n",
        "reportingComponent": "kubelet",
        "reportingInstance": "node1",
    }
    assert cells("events", event) == ["9s", "", "", "pod/web-0", "", "kubelet, node1", "x", "52s", 7, "x"]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.group_resource)
def test_an_empty_object_of_any_kind_has_a_row(resource):
    item = {"metadata": {"name": "x"}}
    made = table(resource, [item], {}, NOW)
    assert len(made["rows"][0]["cells"]) == len(made["columnDefinitions"])
    assert "x" in made["rows"][0]["cells"]


def test_every_kind_with_cells_is_served():
    assert set(CELLS) <= {resource.group_resource for resource in RESOURCES}


# ----------------------------------------------------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (121, "2m1s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600, "8h"),
        (48 * 3600, "2d"),
        (49 * 3600, "2d1h"),
        (8 * 86400, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_how_long(seconds, text):
    assert human_duration(timedelta(seconds=seconds)) == text


@given(st.integers(0, 10**9))
def test_a_duration_says_no_more_than_passed(seconds):
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}
    parts = re.findall(r"(\d+)([smhdy])", human_duration(timedelta(seconds=seconds)))
    said = sum(int(count) * units[unit] for count, unit in parts)
    assert 0 <= seconds - said < units[parts[-1][1]]
