"""Whatever a cluster sends: a diagnosis comes out, always the same one, and it does not contradict itself."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.diagnosis import Effect, Severity, Target, Verdict
from svcdoctor.model.objects import RESOURCES
from svcdoctor.model.snapshot import Answer, Snapshot, assemble

NOW = datetime(2026, 11, 23, 2, 10, tzinfo=UTC)

words = st.sampled_from(["web", "wbe", "Web", "web-1", "web-2", "", "ü\u202e\x1b[31m", "a" * 63, "8080", "v1.2", "db"])
keys = st.sampled_from(["app", "App", "app.kubernetes.io/name", "version", "", "k8s-app", "kubernetes.io/service-name"])
labels = st.dictionaries(keys, words, max_size=3)
numbers = st.sampled_from([0, 1, 53, 80, 8080, 65535, 2**40])
names = st.sampled_from(["web", "web-1", "web-2", "app", "", "x\n"])
namespaces = st.sampled_from(["shop", "shop", "shop", "shop", "other", ""])
moments = st.integers(-(10**6), 10**8).map(lambda s: (NOW - timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ"))
ports = st.one_of(numbers, words)
protocols = st.sampled_from(["TCP", "UDP", "SCTP", "tcp", ""])
statuses = st.sampled_from(["True", "False", "Unknown", ""])
addresses = st.sampled_from(["10.1.1.1", "10.1.1.2", "fd00::1", "", "not an address", "10.1.1.1.1", "example.com"])
texts = st.sampled_from(
    ["", "Readiness probe failed: HTTP probe failed with statuscode: 503", "Readiness probe failed: dial tcp: i/o timeout",
     "Startup probe failed: EOF", "bind: address already in use", "Failed to pull image", "\x00\u202e[red]"]
)  # fmt: skip


@st.composite
def some(draw, **fields):
    """An object with most of ``fields``; any of them may be missing or null."""
    drawn = {}
    for key, strategy in fields.items():
        fate = draw(st.integers(0, 11))
        if fate != 0:
            drawn[key] = None if fate == 1 else draw(strategy)
    return drawn


def listed(strategy, most: int = 3):
    return st.lists(strategy, max_size=most)


owners = listed(
    some(kind=st.sampled_from(["ReplicaSet", "Deployment", "Job", "Node", ""]), name=names, uid=words, controller=st.booleans()), 2
)  # fmt: skip
metadata = some(
    name=names, namespace=namespaces, uid=words, labels=labels, annotations=labels, creationTimestamp=moments,
    deletionTimestamp=moments, ownerReferences=owners, generation=numbers,
)  # fmt: skip
probes = some(
    httpGet=some(path=texts, port=ports, scheme=words, host=addresses), tcpSocket=some(port=ports, host=addresses),
    grpc=some(port=numbers, service=words), exec=some(command=listed(texts)), periodSeconds=numbers,
    timeoutSeconds=numbers, failureThreshold=numbers, initialDelaySeconds=numbers,
)  # fmt: skip
lines = st.sampled_from(["--listen=127.0.0.1:8080", "--port=8080", "-b", "::1", "nc -s 127.0.0.1", "[", "8080", ""])
containers = some(
    name=names, image=words, command=listed(lines), args=listed(lines), readinessProbe=probes, livenessProbe=probes,
    startupProbe=probes, restartPolicy=st.sampled_from(["Always", "Never", ""]), lifecycle=some(preStop=some()),
    ports=listed(some(name=words, containerPort=numbers, protocol=protocols)),
)  # fmt: skip
reasons = st.sampled_from(
    ["CrashLoopBackOff", "ImagePullBackOff", "ContainerCreating", "CreateContainerError", "", "New"]
)
ended = some(exitCode=numbers, reason=reasons, message=texts, finishedAt=moments)
states = some(waiting=some(reason=reasons, message=texts), running=some(startedAt=moments), terminated=ended)
container_statuses = some(
    name=names, ready=st.booleans(), started=st.booleans(), restartCount=numbers, state=states, lastState=states
)
conditions = listed(
    some(
        type=st.sampled_from(["Ready", "ContainersReady", "PodScheduled", "gate", ""]),
        status=statuses, reason=words, message=texts, lastTransitionTime=moments,
    ), 4,
)  # fmt: skip
pod_specs = some(
    containers=listed(containers), initContainers=listed(containers, 2), nodeName=names, hostNetwork=st.booleans(),
    readinessGates=listed(some(conditionType=st.sampled_from(["gate", ""])), 2), restartPolicy=words,
)  # fmt: skip
pods = some(
    metadata=metadata, spec=pod_specs,
    status=some(
        phase=st.sampled_from(["Running", "Pending", "Succeeded", "Failed", "Unknown", ""]), podIP=addresses,
        podIPs=listed(some(ip=addresses)), conditions=conditions, containerStatuses=listed(container_statuses),
        initContainerStatuses=listed(container_statuses, 2), reason=words,
    ),
)  # fmt: skip
services = st.fixed_dictionaries(
    {"metadata": st.fixed_dictionaries({"name": st.just("web"), "namespace": st.just("shop")})},
    optional={
        "spec": some(
            type=st.sampled_from(["ClusterIP", "NodePort", "ExternalName", "Odd"]), selector=labels, clusterIP=words,
            ports=listed(some(name=words, port=numbers, protocol=protocols, targetPort=ports, nodePort=numbers)),
            externalName=addresses, ipFamilies=listed(st.sampled_from(["IPv4", "IPv6", "IPv9"])),
            publishNotReadyAddresses=st.booleans(),
        )
    },
)  # fmt: skip
references = some(kind=st.sampled_from(["Pod", "Node"]), name=names, namespace=namespaces, uid=words)
slices = some(
    metadata=metadata, addressType=st.sampled_from(["IPv4", "IPv6", "FQDN", "IPX"]),
    endpoints=listed(
        some(
            addresses=listed(addresses), targetRef=references, nodeName=names, zone=words,
            conditions=some(ready=st.booleans(), serving=st.booleans(), terminating=st.booleans()),
            hints=some(forZones=listed(some(name=words))),
        )
    ),
    ports=listed(some(name=words, port=numbers, protocol=protocols)),
)  # fmt: skip
workloads = some(
    metadata=metadata, spec=some(replicas=numbers, selector=some(matchLabels=labels), paused=st.booleans(),
    template=some(metadata=metadata, spec=pod_specs)), status=some(desiredNumberScheduled=numbers),
)  # fmt: skip
events = some(
    metadata=metadata, involvedObject=some(kind=st.sampled_from(["Pod", "Service", "ReplicaSet"]), name=names, fieldPath=words),
    reason=st.sampled_from(["Unhealthy", "FailedCreate", "Killing", "FailedMount", "PortOutOfRange", ""]),
    message=texts, count=numbers, lastTimestamp=moments, eventTime=moments, type=words,
)  # fmt: skip
nodes = some(metadata=metadata, status=some(conditions=conditions))
KINDS = {
    "services": services, "pods": pods, "endpointslices": slices, "events": events, "nodes": nodes,
    "deployments": workloads, "replicasets": workloads, "statefulsets": workloads, "daemonsets": workloads,
}  # fmt: skip


@st.composite
def snapshots(draw) -> Snapshot:
    """Any lists of any objects, each list perhaps not read at all."""
    answers = []
    for plural, strategy in KINDS.items():
        if plural != "services" and draw(st.integers(0, 5)) == 0:
            continue
        items = draw(st.lists(strategy, min_size=1 if plural == "services" else 0, max_size=4))
        where = draw(st.sampled_from(["", "shop"])) if RESOURCES[plural].namespaced else ""
        body = {"kind": f"{RESOURCES[plural].type.__name__}List", "items": items}
        answers.append(Answer(RESOURCES[plural].path(where), json.dumps(body).encode()))
    skew = draw(st.sampled_from([0, 0, 3600, -3600, 10**8]))
    return assemble(Snapshot(taken_at=NOW + timedelta(seconds=skew)), answers)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(snapshots(), st.sampled_from(["web", "wbe", "gone"]), st.none() | words)
def test_every_cluster_gets_one_consistent_answer(snapshot, name, port):
    case = Case(snapshot, Target("shop", name, port))
    diagnosis = diagnose(case)
    assert diagnose(Case(snapshot, Target("shop", name, port))) == diagnosis

    loud = [finding for finding in diagnosis.findings if finding.severity is not Severity.ADVICE]
    causes = [finding for finding in loud if finding.consequence_of is None]
    assert (diagnosis.root is None) == (not causes)
    if causes:
        assert diagnosis.root in {finding.name for finding in causes}
        assert diagnosis.root == diagnosis.findings[0].name
    effects = {finding.effect for finding in diagnosis.findings}
    assert (diagnosis.verdict is Verdict.BROKEN) == (Effect.OUTAGE in effects)
    for finding in diagnosis.findings:
        assert finding.summary and finding.evidence
        assert finding.severity is not Severity.ERROR or finding.effect is not Effect.NONE
    if case.service and case.selector and not case.external_name and not case.usable:
        assert diagnosis.verdict is not Verdict.HEALTHY
