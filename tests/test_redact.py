"""No secret passes, and nothing that the steps read is touched."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.model.service import LAST_APPLIED_ANNOTATION as LAST_APPLIED
from svcdoctor.redact import admits, command_line, document, names_a_secret, text

CASES = Path(__file__).parent / "cases"

KEPT = [
    "--http-port=8080",
    "--listen 127.0.0.1:8080",
    "python -m http.server 8080 -p 9090",
    "nc -l -p 8080",
    "mysqld -p3307",
    "--token-file=/var/run/secrets/tokens/x --authorization-mode=Node,RBAC",
    "/healthz/ready?verbose=1",
    "/usr/local/lib/Very/Long/PathNumber1/with/segments/and/More/words",
    'Readiness probe failed: Get "http://auth:8080/healthz": dial tcp 10.1.1.1:8080: connect: connection refused',
    "Readiness probe failed: dial tcp [fd00::1]:8080: i/o timeout",
    'Failed to pull image "ghcr.io/x/token-service:v2": rpc error: code = NotFound',
    'Back-off pulling image "registry.example.com/shop/auth:1.2"',
    f"docker-pullable://nginx@sha256:{'0123abcd' * 8}",
    f"containerd://{'0123abcd' * 8}",
    'MountVolume.SetUp failed for volume "db-secret" : secret "db-secret" not found',
    'MountVolume.SetUp failed for volume "db-password" : secret "db-password" not found',
    "Error: couldn't find key password in Secret shop/db",
    "failed to sync secret cache: timed out waiting for the condition",
    "failed to fetch anonymous token: unexpected status from GET request to "
    "https://auth.docker.io/token?scope=repository%3Alibrary%2Fx%3Apull&service=registry.docker.io: 401 Unauthorized",
    'failed to fetch token: Get "https://10.0.0.1/token": x509: certificate signed by unknown authority',
    'WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry"',
    "Access denied for user 'root'@'10.1.1.1' (using password: YES)",
    "kafka.bootstrap=broker-0:9092 max.tokens.per.second.limit=4096 tokenizer=bpe",
    "2026-11-23T01:56:20.123456789Z listening on :8080",
    '{"upstream":"http://auth:8080","mail":"ops@example.com"}',
]


@pytest.mark.parametrize("value", KEPT)
def test_what_the_steps_read_is_kept(value: str) -> None:
    assert text(value) == value
    assert command_line(value.split()) == value.split()


CLEANED = [
    ("--password=hunter2 --port 80", "--password=[redacted] --port 80"),
    ("app --api-key hunter2 --port 80", "app --api-key [redacted] --port 80"),
    ("PGPASSWORD=hunter2 psql -p 5432", "PGPASSWORD=[redacted] psql -p 5432"),
    ("export AWS_SECRET_ACCESS_KEY=hunter2; serve", "export AWS_SECRET_ACCESS_KEY=[redacted]; serve"),
    ("password: hunter2", "password: [redacted]"),
    ("invalid token: hunter2", "invalid token: [redacted]"),
    ("db_password='two words' port=1", "db_password='[redacted]' port=1"),
    ('{"level":"info","password":"hunter2","port":80}', '{"level":"info","password":"[redacted]","port":80}'),
    (r'body="{\"token\":\"hunter2\",\"port\":80}"', r'body="{\"token\":\"[redacted]\",\"port\":80}"'),
    ('cut short: secret="hunter2 and mo', 'cut short: secret="[redacted]'),
    ("https://user:hunter2@db.example.com:5432/x", "https://[redacted]@db.example.com:5432/x"),
    ("postgres://u:p@ss@db:5432/x", "postgres://[redacted]@db:5432/x"),
    ("root:hunter2@tcp(db:3306)/x", "[redacted]@tcp(db:3306)/x"),
    ("GET /healthz?token=hunter2&verbose=1 200", "GET /healthz?token=[redacted]&verbose=1 200"),
    ("Authorization: Bearer hunter2", "Authorization: [redacted]"),
    ("sent Bearer hunter2xyz to it", "sent Bearer [redacted] to it"),
    ("Basic aHVudGVyMjpodW50ZXIy", "Basic [redacted]"),
    ('curl -H "X-Api-Key: hunter2" :80', 'curl -H "X-Api-Key: [redacted]" :80'),
    ("curl -u admin:hunter2 http://x:80", "curl -u [redacted] http://x:80"),
    ("mysqladmin ping -uroot -phunter2 -P 3306", "mysqladmin ping -uroot -p[redacted] -P 3306"),
    ("redis-cli -h x -a hunter2 ping", "redis-cli -h x -a [redacted] ping"),
    ("key AKIAIOSFODNN7EXAMPLE here", "key [redacted] here"),
    ("key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY here", "key [redacted] here"),
    ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[redacted]"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nok", "[redacted]\nok"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE cut sho", "[redacted]"),
    ("user eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl ok", "user [redacted] ok"),
]


@pytest.mark.parametrize(("value", "cleaned"), CLEANED)
def test_what_looks_like_a_secret_is_not(value: str, cleaned: str) -> None:
    assert text(value) == cleaned
    assert text(cleaned) == cleaned


@pytest.mark.parametrize(
    ("words", "cleaned"),
    [
        (["--password", "hunter2", "--port=80"], ["--password", "[redacted]", "--port=80"]),
        (["--db-pass=two words", "-p", "80"], ["--db-pass=[redacted]", "-p", "80"]),
        (["redis-server", "--requirepass", "hunter2"], ["redis-server", "--requirepass", "[redacted]"]),
        (["mysqladmin", "ping", "-phunter2"], ["mysqladmin", "ping", "-p[redacted]"]),
        (["sh", "-c", "x --token hunter2 --port 80"], ["sh", "-c", "x --token [redacted] --port 80"]),
        (["mongod", "--auth", "--port", "27017"], ["mongod", "--auth", "--port", "27017"]),
        (["a\x1fb", "--password", "hunter2"], ["a b", "--password", "[redacted]"]),
        ([], []),
    ],
)
def test_a_flag_may_stand_apart_from_its_value(words: list[str], cleaned: list[str]) -> None:
    assert command_line(words) == cleaned


@pytest.mark.parametrize(
    "name", ["password", "DB_PASS", "clientSecret", "x-api-key", "token2", "aws_secret_access_key"]
)
def test_names_of_secrets(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize(
    "name", ["secretName", "token-file", "passThrough", "tokenExpirationSeconds", "bypassed", "port"]
)
def test_names_that_only_sound_like_it(name: str) -> None:
    assert not names_a_secret(name)


# ------------------------------------------------------------------------------------------------------------ documents


def without_copies(value: Any) -> Any:
    """What is left of a recorded document when kubectl's and the API server's copies of the spec are taken out."""
    if isinstance(value, dict):
        return {k: without_copies(v) for k, v in value.items() if k not in ("managedFields", LAST_APPLIED)}
    return [without_copies(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", sorted(case.name for case in CASES.iterdir()))
def test_recorded_clusters_lose_only_the_copies_of_their_specs(case: str) -> None:
    for file in (CASES / case / "api").glob("**/*.json"):
        said = json.loads(file.read_bytes())
        assert document(said) == without_copies(said), file


POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"labels": {"token": "t0p-s3cret"}, "annotations": {LAST_APPLIED: "{}"}, "managedFields": [{}]},
    "spec": {
        "automountServiceAccountToken": True,
        "imagePullSecrets": [{"name": "registry-credentials"}],
        "volumes": [{"name": "tls", "secret": {"secretName": "web-tls"}}],
        "containers": [
            {
                "env": [
                    {"name": "PORT", "value": "8080"},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                ],
                "envFrom": [{"secretRef": {"name": "more"}}],
                "args": ["--port=8080", "--password", "hunter2"],
                "readinessProbe": {
                    "httpGet": {"path": "/ok", "httpHeaders": [{"name": "X-Token", "value": "hunter2"}]}
                },
            }
        ],
    },
}


def test_a_pod_keeps_its_shape() -> None:
    assert document(POD) == {
        "kind": "Pod",
        "metadata": {"labels": {"token": "t0p-s3cret"}, "annotations": {}},
        "spec": {
            "automountServiceAccountToken": True,
            "imagePullSecrets": [{"name": "registry-credentials"}],
            "volumes": [{"name": "tls", "secret": {"secretName": "web-tls"}}],
            "containers": [
                {
                    "env": [
                        {"name": "PORT"},
                        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                    ],
                    "envFrom": [{"secretRef": {"name": "more"}}],
                    "args": ["--port=8080", "--password", "[redacted]"],
                    "readinessProbe": {
                        "httpGet": {"path": "/ok", "httpHeaders": [{"name": "X-Token", "value": "[redacted]"}]}
                    },
                }
            ],
        },
    }


def test_a_service_keeps_when_and_from_what_its_selector_changed() -> None:
    fields = [{"manager": "kubectl", "fieldsV1": {"f:spec": {"f:selector": {}}}}]
    applied = {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    metadata = {"managedFields": fields, "annotations": {LAST_APPLIED: json.dumps(applied)}}
    assert document({"metadata": metadata}, service=True) == {"metadata": metadata}
    assert document({"kind": "List", "items": [{"kind": "Service", "metadata": metadata}]})["items"][0] == {
        "kind": "Service",
        "metadata": metadata,
    }
    applied["metadata"] = {"annotations": {"api-token": "hunter2"}}
    metadata["annotations"] = {LAST_APPLIED: json.dumps(applied), "note": "x"}
    kept = document({"metadata": metadata}, service=True)["metadata"]["annotations"]
    assert json.loads(kept[LAST_APPLIED])["metadata"] == {"annotations": {"api-token": "[redacted]"}}
    metadata["annotations"] = {LAST_APPLIED: '{"spec": {"cut', "note": "x"}
    assert document({"metadata": metadata}, service=True)["metadata"]["annotations"] == {"note": "x"}


def test_a_secret_in_a_mixed_list_loses_its_data() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "db"},
        "data": {"a": "aHVudGVyMg=="},
        "stringData": {"b": "hunter2"},
    }
    assert document({"kind": "List", "items": [secret]})["items"] == [{"kind": "Secret", "metadata": {"name": "db"}}]


@pytest.mark.parametrize(
    ("path", "kind", "admitted"),
    [
        ("api/v1/namespaces/shop/pods", "PodList", True),
        ("api/v1/namespaces/secrets/pods", "PodList", True),
        ("api/v1/namespaces/shop/secrets", "SecretList", False),
        ("api/v1/namespaces/shop/secrets/db", "Status", False),
        ("api/v1/secrets", "Table", False),
        ("api/v1/namespaces/shop/pods", "SecretList", False),
        ("api/v1/namespaces/kube-system/configmaps/coredns", "ConfigMap", True),
        ("api/v1/namespaces/kube-system/configmaps", "ConfigMapList", False),
        ("api/v1/namespaces/shop/configmaps/app", "ConfigMap", False),
    ],
)
def test_secrets_and_other_peoples_config_maps_are_not_admitted(path: str, kind: str, admitted: bool) -> None:
    assert admits(path, {"kind": kind}) is admitted


def test_a_config_map_loses_tokens_and_keeps_its_settings() -> None:
    data = {
        "Corefile": ".:53 {\n    forward . 10.0.0.1\n}\n",
        "config.conf": '{"mode": "iptables", "clientConnection": {"kubeconfig": "/cfg"}, "bindAddress": ":10249"}',
        "kubeconfig": "users:\n- user:\n    token: hunter2abc\n",
        "api-token": "hunter2",
        "nested": '{"users": [{"user": {"token": "hunter2"}}]}',
    }
    clean = document({"kind": "ConfigMap", "data": data, "binaryData": {"a": "aHVudGVyMg=="}})
    assert clean == {
        "kind": "ConfigMap",
        "data": {
            **data,
            "kubeconfig": "users:\n- user:\n    token: [redacted]\n",
            "api-token": "[redacted]",
            "nested": '{"users":[{"user":{"token":"[redacted]"}}]}',
        },
    }


# ----------------------------------------------------------------------------------------------------------- properties

WORDS = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789_.!-", min_size=8, max_size=30).map(
    "Zq9".__add__
)
"""Passwords that can't be told by their shape, only by what they are called."""

SEEDS = st.binary(min_size=8, max_size=8).map(lambda seed: hashlib.sha512(seed).digest())
SHAPES = st.one_of(
    SEEDS.map(lambda key: base64.b64encode(key[:48]).decode()),
    SEEDS.map(lambda key: base64.urlsafe_b64encode(key).decode()),
    SEEDS.map(lambda key: "eyJ" + ".".join(base64.urlsafe_b64encode(key[:30]).decode() for _ in range(3))),
    SEEDS.map(lambda key: f"ghp_{key.hex()[:36]}"),
    SEEDS.map(lambda key: "AKIA" + base64.b32encode(key).decode()[:16]),
    SEEDS.map(lambda key: f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(key).decode()}\n-----END PRIVATE KEY-----"),
)
NAMED_PLACES = [
    "--password={}",
    "run --client-secret {} --port 80",
    "DB_PASSWORD={} serve",
    "password: {}",
    'msg="x" token="{}"',
    '{{"apiKey": "{}"}}',
    "https://user:{}@host:80/",
    "Authorization: Bearer {}",
    "mysql -h db -p{} x",
]


@given(secret=WORDS, place=st.sampled_from(NAMED_PLACES), around=st.sampled_from(["", "x ", "\n", '"']))
def test_a_named_secret_never_survives(secret: str, place: str, around: str) -> None:
    assert secret not in text(around + place.format(secret))


@given(
    secret=SHAPES,
    before=st.sampled_from(["", "x ", "=", '"', "at "]),
    after=st.sampled_from(["", " x", '"', ",", "\n"]),
)
def test_a_secret_of_a_known_shape_never_survives(secret: str, before: str, after: str) -> None:
    clean = text(before + secret + after)
    assert secret not in clean
    assert clean == f"{before}[redacted]{after}"


PIECES = st.sampled_from(
    [
        *("--password", "token", "Authorization", "Bearer ", "mysql", "-p", "curl -u", "x9", "8080"),
        *("=", ": ", ":", " ", '"', "\\", "'", "://", "@", "{", "\x1f"),
        *("-----BEGIN PRIVATE KEY-----", "eyJhbGciOiJIUzI1NiIsInR5cCI", "aB3/" * 12),
    ]
)
TRICKY = st.lists(PIECES | st.text(max_size=8), max_size=8).map("".join)


@given(value=TRICKY)
def test_any_text_is_cleaned_once_and_for_all(value: str) -> None:
    assert text(text(value)) == text(value)


@given(words=st.lists(TRICKY, max_size=6))
def test_a_command_line_keeps_its_words_apart(words: list[str]) -> None:
    assert len(command_line(words)) == len(words)
