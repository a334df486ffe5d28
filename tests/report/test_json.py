"""The report for programs: whole, and held against its published schema, which must refuse what is not a report."""

import copy
import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from svcdoctor.model.diagnosis import Subject, Target
from svcdoctor.report import FORMATS, Look
from svcdoctor.report import json as v1

from .diagnoses import ALL, BAD, BROKEN, DEGRADED, HEALTHY, HOSTILE, UNKNOWN

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/diagnosis.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def document(diagnosis):
    return json.loads(FORMATS["json"](diagnosis, Look()))


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ALL)
def test_every_report_fits_the_schema(name):
    VALIDATOR.validate(document(ALL[name]))


def test_a_whole_document():
    assert document(DEGRADED) == {
        "apiVersion": "svcdoctor.io/v1",
        "kind": "Diagnosis",
        "context": "prod",
        "server": "https://[fd00::1]:6443",
        "takenAt": "2026-11-23T01:56:13Z",
        "service": {"namespace": "shop", "name": "web", "type": "ClusterIP"},
        "client": None,
        "verdict": "degraded",
        "root": "probe-failing",
        "steps": [
            {
                "name": "service",
                "question": "Is the Service itself well formed, and is it there?",
                "status": "pass",
                "reason": "well formed, 1 port",
                "gaps": [],
            },
            {
                "name": "readiness",
                "question": "Are those pods ready, and if not, why?",
                "status": "warn",
                "reason": "1 of 2 pods is not ready",
                "gaps": [],
            },
            {
                "name": "endpoints",
                "question": "Do pods stand behind it?",
                "status": "pass",
                "reason": "2 pods",
                "gaps": [],
            },
        ],
        "findings": [
            {
                "code": "SVC301",
                "name": "probe-failing",
                "severity": "warning",
                "step": "readiness",
                "summary": "Pod shop/web-2 is not ready: its readiness probe "
                "GET http://[fd00:10::9]:8080/healthz gets 503",
                "evidence": [
                    {
                        "source": "Event Unhealthy of Pod shop/web-2, 12 s ago",
                        "fact": "HTTP probe failed with statuscode: 503",
                    }
                ],
                "confidence": "possible",
                "ruledOut": [],
                "fix": {
                    "text": "Ask the application why it says 503.",
                    "command": "kubectl -n shop logs web-2",
                    "patch": None,
                    "alternatives": [],
                },
                "subject": {"kind": "Pod", "namespace": "shop", "name": "web-2"},
                "consequenceOf": None,
            },
            {
                "code": "SVC240",
                "name": "single-endpoint",
                "severity": "advice",
                "step": "endpoints",
                "summary": "one pod is ready",
                "evidence": [{"source": "EndpointSlice shop/web-x", "fact": "1 of 2 endpoints is ready"}],
                "confidence": "certain",
                "ruledOut": [],
                "fix": {"text": "Run two.", "command": None, "patch": None, "alternatives": []},
                "subject": {"kind": "Service", "namespace": "shop", "name": "web"},
                "consequenceOf": "probe-failing",
            },
        ],
    }


def test_alternatives_and_what_was_ruled_out():
    finding = document(BROKEN)["findings"][0]
    assert [other["name"] for other in finding["ruledOut"]] == ["selector-other-ns", "scaled-to-zero"]
    [alternative] = finding["fix"]["alternatives"]
    assert set(alternative) == {"text", "command", "patch"}
    assert alternative["command"].startswith("kubectl -n shop patch deployment web ")


def test_gaps_name_the_permission():
    gaps = document(UNKNOWN)["steps"][2]["gaps"]
    assert gaps == [
        {"what": "api/v1/namespaces/shop/pods", "why": "403 Forbidden", "permission": "list pods in namespace shop"},
        {"what": "api/v1/namespaces/shop/events", "why": "timed out after 30 s", "permission": None},
    ]


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        (Subject("Pod", "lab", "curl"), {"namespace": "lab", "pod": "curl"}),
        (Subject("Node", "", "node1"), {"node": "node1"}),
    ],
)
def test_clients(client, shown):
    seen = document(structs.replace(HEALTHY, target=Target("shop", "web", client=client)))
    VALIDATOR.validate(seen)
    assert seen["client"] == shown


def test_hostile_strings_arrive_exact_and_leave_as_ascii():
    text = FORMATS["json"](HOSTILE, Look())
    assert all(char == "\n" or " " <= char <= "~" for char in text)
    assert json.loads(text)["findings"][0]["evidence"] == [{"source": BAD, "fact": BAD}]
    assert msgspec.json.decode(text)["context"] == BAD


def objects(node, path=()):
    """Every object of a document with the way to it."""
    if isinstance(node, dict):
        yield path
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from objects(child, (*path, key))


def at(node, path):
    for key in path:
        node = node[key]
    return node


GOOD = document(structs.replace(BROKEN, target=Target("shop", "web", client=Subject("Pod", "lab", "curl"))))


@pytest.mark.parametrize("path", [*objects(GOOD)], ids=str)
def test_the_schema_refuses_unknown_and_missing_fields_everywhere(path):
    more = copy.deepcopy(GOOD)
    at(more, path)["surprise"] = 1
    assert not VALIDATOR.is_valid(more)
    for key in at(GOOD, path):
        less = copy.deepcopy(GOOD)
        del at(less, path)[key]
        assert not VALIDATOR.is_valid(less), key


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("apiVersion",), "svcdoctor.io/v2"),
        (("kind",), "Snapshot"),
        (("takenAt",), None),
        (("verdict",), "fine"),
        (("root",), ""),
        (("client",), {}),
        (("client",), {"node": "n", "pod": "p"}),
        (("steps",), None),
        (("steps", 0, "status"), "ok"),
        (("steps", 0, "reason"), None),
        (("findings", 0, "code"), "203"),
        (("findings", 0, "name"), "Selector Typo"),
        (("findings", 0, "severity"), "info"),
        (("findings", 0, "confidence"), "sure"),
        (("findings", 0, "evidence", 0, "fact"), 7),
        (("findings", 0, "fix", "command"), ["kubectl"]),
        (("findings", 0, "fix", "alternatives", 0, "patch"), {}),
        (("findings", 0, "subject"), "Service shop/web"),
        (("findings", 0, "consequenceOf"), False),
    ],
    ids=str,
)
def test_the_schema_refuses_wrong_values(path, value):
    wrong = copy.deepcopy(GOOD)
    at(wrong, path[:-1])[path[-1]] = value
    assert not VALIDATOR.is_valid(wrong)


def schemas(node):
    """Every object schema, as the set of its properties."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert set(node["required"]) == set(node["properties"])
            yield frozenset(node["properties"])
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from schemas(child)


def test_the_schema_describes_the_types_that_are_written():
    types = [value for value in vars(v1).values() if isinstance(value, type) and issubclass(value, v1.V1)]
    written = {frozenset(field.encode_name for field in structs.fields(type)) for type in types if type is not v1.V1}
    assert set(schemas(SCHEMA)) == written
