"""422 and its causes: the recorded ones, the real project's table for NetworkPolicies, and each rule once."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.status import Refusal
from svcdoctor.lab.api.validate import located
from svcdoctor.lab.resources import named
from tests.lab.api.making import create, deployment, pod, service, update
from tests.lab.recorded import exchange

POLICIES = json.loads((Path(__file__).parent / "networkpolicy_api.json").read_text())["validation"]
STRICT = POLICIES["valid_only_without_StrictIPCIDRValidation"]
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def causes(given, old=None):
    """What is wrong, as 'field: message'; nothing where all is well."""
    try:
        create(given) if old is None else update(old, given)
    except Refusal as refused:
        assert refused.code == 422
        assert isinstance(refused.body, dict)
        return [f"{cause['field']}: {cause['message']}" for cause in refused.body["details"]["causes"]]
    return []


def container(**fields):
    return pod(containers=[{"name": "app", "image": "a:1", **fields}])


def test_the_recorded_refusal():
    wanted = exchange("create-invalid-service")
    with pytest.raises(Refusal) as refused:
        create(wanted.sent_json())
    assert (refused.value.code, refused.value.body) == (wanted.code, wanted.json())


@pytest.mark.parametrize("policy", POLICIES["valid"], ids=lambda policy: json.dumps(policy["spec"])[:60])
def test_a_good_policy(policy):
    assert causes({**policy, "metadata": {"name": "foo"}}) == []


@pytest.mark.parametrize("name", POLICIES["invalid"])
def test_a_bad_policy(name):
    assert causes({**POLICIES["invalid"][name], "metadata": {"name": "foo"}})


@pytest.mark.parametrize("policy", STRICT if isinstance(STRICT, list) else [STRICT])
def test_a_cidr_is_read_strictly(policy):
    assert causes({**policy, "metadata": {"name": "foo"}}) == [
        'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "001.002.003.000/0": '
        "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    ]


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"ports": []}, ["spec.ports: Required value"]),
        ({"ports": [], "clusterIP": "None"}, []),
        (
            {"ports": [{"port": 80}, {"port": 81}]},
            ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
        ),
        (
            {"ports": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]},
            ['spec.ports[1].name: Duplicate value: "a"'],
        ),
        (
            {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 80}]},
            [
                'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,'
                '"TargetPort":0,"NodePort":0}'
            ],
        ),
        ({"ports": [{"name": "a", "port": 53}, {"name": "b", "port": 53, "protocol": "UDP"}]}, []),
        (
            {"ports": [{"port": 80, "protocol": "ICMP"}]},
            ['spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
        ),
        (
            {"ports": [{"port": 80, "targetPort": "8080"}]},
            ['spec.ports[0].targetPort: Invalid value: "8080": must contain at least one letter (a-z)'],
        ),
        (
            {"ports": [{"port": 80, "targetPort": "a_very_long_port_name"}]},
            [
                'spec.ports[0].targetPort: Invalid value: "a_very_long_port_name": must be no more than 15 bytes',
                'spec.ports[0].targetPort: Invalid value: "a_very_long_port_name": '
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
            ],
        ),
        (
            {"ports": [{"name": "HTTP", "port": 80}]},
            [f'spec.ports[0].name: Invalid value: "HTTP": {LABEL}'],
        ),
        (
            {"type": "ClusterIP", "ports": [{"port": 80, "nodePort": 30080}]},
            ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
        ),
        (
            {"type": "NodePort", "clusterIP": "None"},
            ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"],
        ),
        ({"type": "ExternalName"}, ["spec.externalName: Required value"]),
        ({"type": "ExternalName", "externalName": "db.example."}, []),
        (
            {"type": "ExternalName", "externalName": "x", "clusterIP": "10.96.0.9"},
            ["spec.clusterIPs: Forbidden: may not be set for ExternalName services"],
        ),
        (
            {"type": "Cluster"},
            [
                'spec.type: Unsupported value: "Cluster": supported values: "ClusterIP", "ExternalName", '
                '"LoadBalancer", "NodePort"'
            ],
        ),
        (
            {"externalTrafficPolicy": "Local"},
            ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
        ),
        (
            {"internalTrafficPolicy": "local"},
            ['spec.internalTrafficPolicy: Unsupported value: "local": supported values: "Cluster", "Local"'],
        ),
        (
            {"trafficDistribution": "Near"},
            [
                'spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose", '
                '"PreferSameNode", "PreferSameZone"'
            ],
        ),
        (
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 90000}}},
            [
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: "
                "must be greater than 0 and less than 86400"
            ],
        ),
        (
            {"clusterIP": "ten"},
            ["spec.clusterIPs[0]: Invalid value: \"ten\": must be empty, 'None', or a valid IP address"],
        ),
        (
            {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.8"]},
            ['spec.clusterIPs: Invalid value: ["10.96.0.8"]: first value must match `clusterIP`'],
        ),
        (
            {"clusterIP": "10.96.0.9", "ipFamilies": ["IPv6"]},
            ['spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`'],
        ),
        (
            {"loadBalancerSourceRanges": ["10.0.0.0/8"]},
            ["spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
        ),
        (
            {"type": "LoadBalancer", "ports": [{"port": 10250}]},
            ["spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet"],
        ),
        (
            {"externalIPs": ["127.0.0.1"]},
            [
                'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, '
                "::1/128)"
            ],
        ),
        ({"ipFamilies": ["IPv4", "IPv4"]}, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']),
    ],
)
def test_services(spec, wanted):
    assert causes(service(**spec)) == wanted


def test_a_cluster_ip_stays():
    old = create(service())
    changed = {**old, "spec": {**old["spec"], "clusterIP": "10.96.9.9"}}
    message = 'spec.clusterIPs[0]: Invalid value: ["10.96.9.9"]: may not change once set'
    assert causes(changed, old) == [message]
    headless = {**old, "spec": {**old["spec"], "clusterIP": "None"}}
    assert causes(headless, old) == ['spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set']


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (pod(containers=[]), ["spec.containers: Required value"]),
        (container(image=""), ["spec.containers[0].image: Required value"]),
        (
            pod(containers=[{"name": "a", "image": "x"}, {"name": "a", "image": "y"}]),
            ['spec.containers[1].name: Duplicate value: "a"'],
        ),
        (
            container(ports=[{"containerPort": 0}, {"containerPort": 70000, "name": "80"}]),
            [
                "spec.containers[0].ports[0].containerPort: Required value",
                'spec.containers[0].ports[1].name: Invalid value: "80": must contain at least one letter (a-z)',
                "spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, "
                "inclusive",
            ],
        ),
        (
            container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
        ),
        (
            container(readinessProbe={}),
            ["spec.containers[0].readinessProbe: Required value: must specify a handler type"],
        ),
        (
            container(livenessProbe={"tcpSocket": {"port": 80}, "exec": {"command": ["x"]}, "successThreshold": 2}),
            [
                "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
                "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
            ],
        ),
        (
            container(readinessProbe={"httpGet": {"port": 0}}),
            [
                "spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, "
                "inclusive"
            ],
        ),
        (
            container(imagePullPolicy="Sometimes"),
            [
                'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", '
                '"IfNotPresent", "Never"'
            ],
        ),
        (
            container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}}),
            [
                'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of '
                "500m"
            ],
        ),
        (
            pod(restartPolicy="always"),
            ['spec.restartPolicy: Unsupported value: "always": supported values: "Always", "Never", "OnFailure"'],
        ),
        (pod(hostname="A"), [f'spec.hostname: Invalid value: "A": {LABEL}']),
        (
            pod(volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}]),
            ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
        ),
    ],
)
def test_pods(given, wanted):
    assert causes(given) == wanted


def test_what_of_a_pod_may_change():
    old = create(pod())
    image = copy.deepcopy(old)
    image["spec"]["containers"][0]["image"] = "a:2"
    assert causes(image, old) == []
    ports = copy.deepcopy(old)
    ports["spec"]["containers"][0]["ports"] = [{"containerPort": 80}]
    assert [cause.split(",")[0] for cause in causes(ports, old)] == [
        "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`"
    ]
    more = copy.deepcopy(old)
    more["spec"]["containers"].append({"name": "b", "image": "x"})
    assert causes(more, old) == ["spec.containers: Forbidden: pod updates may not add or remove containers"]


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"selector": None}, ["spec.selector: Required value"]),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
        (
            {"selector": {"matchLabels": {"app": "other"}}},
            [
                'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template '
                "`labels`"
            ],
        ),
        (
            {"selector": {"matchExpressions": [{"key": "app", "operator": "In"}]}},
            [
                "spec.selector.matchExpressions[0].values: Required value: "
                "must be specified when `operator` is 'In' or 'NotIn'"
            ],
        ),
        ({"replicas": -1}, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
        (
            {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
            ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
            ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
        ),
    ],
)
def test_deployments(spec, wanted):
    assert causes(deployment(**spec)) == wanted


def test_a_selector_stays():
    old = create(deployment())
    labels = {"app": "web", "x": "y"}
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
    assert causes(deployment(selector={"matchLabels": labels}, template=template), old) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"web","x":"y"}}: field is immutable'
    ]


def slice_of(**fields):
    head = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "s"}}
    return {**head, "addressType": "IPv4", **fields}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (slice_of(endpoints=[{"addresses": ["10.0.0.1"]}], ports=[{"port": 80}]), []),
        (slice_of(addressType=""), ["addressType: Required value"]),
        (
            slice_of(addressType="IP"),
            ['addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"'],
        ),
        (
            slice_of(endpoints=[{"addresses": ["fd00::1"]}]),
            ['endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address'],
        ),
        (
            slice_of(endpoints=[{"addresses": []}]),
            ["endpoints[0].addresses: Required value: must contain at least 1 address"],
        ),
        (slice_of(ports=[{"port": 1}, {"port": 2}]), ['ports[1].name: Duplicate value: ""']),
        (
            {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": {"name": "e"},
                "subsets": [{"addresses": [{"ip": "169.254.1.1"}], "ports": [{"port": 80}]}],
            },
            [
                'subsets[0].addresses[0].ip: Invalid value: "169.254.1.1": may not be in the link-local range '
                "(169.254.0.0/16, fe80::/10)"
            ],
        ),
        (
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {"name": "i"},
                "spec": {"rules": [{"http": {"paths": [{"path": "a", "backend": {"service": {"name": "s"}}}]}}]},
            },
            [
                "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
                'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path',
                "spec.rules[0].http.paths[0].backend.service: Required value: port name or number is required",
            ],
        ),
    ],
)
def test_endpoints_and_ingresses(given, wanted):
    assert causes(given) == wanted


@pytest.mark.parametrize(
    ("meta", "wanted"),
    [
        ({}, ["metadata.name: Required value: name or generateName is required"]),
        ({"generateName": "web-"}, []),
        ({"name": "web", "labels": {"a b": "c"}}, None),
        ({"name": "web", "annotations": {"x/y/z": "1"}}, None),
        (
            {"name": "web", "annotations": {"a": "x" * 300_000}},
            ["metadata.annotations: Too long: may not be more than 262144 bytes"],
        ),
        ({"name": "x" * 64}, ['metadata.name: Invalid value: "' + "x" * 64 + '": must be no more than 63 bytes']),
    ],
)
def test_metadata(meta, wanted):
    found = causes({**service(), "metadata": meta})
    assert found == wanted if wanted is not None else found


def test_an_object_is_where_and_what_the_url_says():
    made = located(named("services"), {"metadata": {"name": "web"}}, "shop", "web")
    assert made["metadata"] == {"name": "web", "namespace": "shop"}
    with pytest.raises(Refusal, match="the namespace of the provided object does not match the namespace sent on the"):
        located(named("services"), {"metadata": {"name": "web", "namespace": "other"}}, "shop")
    with pytest.raises(Refusal, match=r"the name of the object \(a\) does not match the name on the URL \(b\)"):
        located(named("services"), {"metadata": {"name": "a"}}, "shop", "b")


def test_another_object_of_that_name_is_a_conflict():
    old = create(service())
    old["metadata"]["uid"] = "u1"
    with pytest.raises(
        Refusal, match="Precondition failed: UID in precondition: u2, UID in object meta: u1"
    ) as refused:
        update(old, {**service(), "metadata": {"name": "web", "uid": "u2"}})
    assert refused.value.code == 409


SPECS = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 70000) | st.sampled_from(["", "a", "None", "10.96.0.1", "NodePort"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "ports",
                        "port",
                        "name",
                        "type",
                        "clusterIP",
                        "clusterIPs",
                        "ipFamilies",
                        "selector",
                        "matchLabels",
                    ),
                    *("template", "spec", "metadata", "containers", "ingress", "from", "ipBlock", "cidr", "except"),
                    *("rules", "http", "paths", "backend", "service", "targetPort", "nodePort", "strategy", "replicas"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KINDS = [
    *(
        ("v1", "Service"),
        ("v1", "Pod"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
    ),
    *(("networking.k8s.io/v1", "NetworkPolicy"), ("networking.k8s.io/v1", "Ingress"), ("batch/v1", "Job")),
]


@given(st.sampled_from(KINDS), SPECS)
def test_any_spec_is_stored_or_refused(kind, spec):
    given = {"apiVersion": kind[0], "kind": kind[1], "metadata": {"name": "x"}, "spec": spec}
    try:
        made = create(given)
        assert update(made, given)["metadata"] == made["metadata"]
    except Refusal as refused:
        assert refused.code in (400, 422)
