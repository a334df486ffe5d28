"""Selectors against the recorded answers, the table of the real package's tests, and a naive reading."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.selectors import matcher_of, parse_labels, parse_requirements, requirements_of, selector_text
from svcdoctor.lab.api.selectors_fields import parse_fields
from svcdoctor.lab.api.status import Refusal
from svcdoctor.lab.resources import named
from tests.lab.recorded import exchange

CASES = json.loads((Path(__file__).parent / "networkpolicy_api.json").read_text())["labelSelectorMatching"]

KEYS = st.sampled_from(["a", "b", "x", "in", "notin", "app.kubernetes.io/name", "A_b"])
VALUES = st.sampled_from(["", "a", "b", "in", "v1", "A_b.c-d"])
LABELS = st.dictionaries(KEYS, VALUES, max_size=4)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.get('selector', 'expressions')}-{case['labels']}")
def test_matches_as_the_real_package_does(case):
    if "selector" in case:
        matches = parse_labels(case["selector"])
    else:
        matches = matcher_of({"matchExpressions": case["matchExpressions"]})
    assert matches(case["labels"]) is case["match"]


@pytest.mark.parametrize(
    ("selector", "labels", "match"),
    [
        ("x in (foo,,baz),y,z notin ()", {"x": "", "y": "", "z": "q"}, True),
        ("x in (foo,,baz),y,z notin ()", {"x": "", "y": "", "z": ""}, False),
        ("a==b", {"a": "b"}, True),
        ("a==b, c != d", {"a": "b"}, True),
        ("a=,b", {"a": "", "b": "1"}, True),
        ("n>2", {"n": "3"}, True),
        ("n>2", {"n": "x"}, False),
        ("n < 2", {"n": "-1"}, True),
        ("in in (in)", {"in": "in"}, True),
        ("a=b,a=c", {"a": "b"}, False),
        ("x in ()", {"x": ""}, True),
    ],
)
def test_syntax(selector, labels, match):
    assert parse_labels(selector)(labels) is match


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a,", "found '', expected: identifier after ','"),
        ("a in (b) c", "found 'c', expected: ',' or 'end of string'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("a=!b", "unable to parse requirement: found '!', expected: identifier"),
        (
            "n>x",
            'unable to parse requirement: values[0]: Invalid value: "x": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("a/b/c", None),
        ("a=-b", None),
    ],
)
def test_a_bad_selector_is_refused_in_the_real_words(selector, message):
    with pytest.raises(Refusal) as refused:
        parse_labels(selector)
    assert refused.value.code == 400
    if message:
        assert str(refused.value) == message


def test_the_recorded_refusals():
    with pytest.raises(Refusal) as refused:
        parse_labels("a in (")
    assert refused.value.body == exchange("list-bad-label-selector").json()
    with pytest.raises(Refusal) as refused:
        parse_fields(named("pods"), "spec.nope=1")
    assert refused.value.body == exchange("list-bad-field-selector").json()


@given(st.text(alphabet="ab1-/.=!(),<> \tin", max_size=20))
def test_any_text_is_read_or_refused(text):
    try:
        found = parse_requirements(text)
    except Refusal as refused:
        assert refused.code == 400
    else:
        again = parse_requirements(selector_text(found))
        assert [(one.key, set(one.values)) for one in again] == [(one.key, set(one.values)) for one in found]


@given(LABELS, LABELS)
def test_equality_is_being_a_subset(wanted, labels):
    text = ",".join(f"{key}={value}" for key, value in wanted.items())
    assert parse_labels(text)(labels) is (wanted.items() <= labels.items())


@given(LABELS, LABELS)
def test_a_selector_means_the_same_as_object_and_as_text(wanted, labels):
    selector = {"matchLabels": wanted}
    assert parse_labels(selector_text(requirements_of(selector)))(labels) is matcher_of(selector)(labels)


def test_no_selector_object_matches_nothing_and_an_empty_one_everything():
    assert not matcher_of(None)({"a": "b"})
    assert matcher_of({})({"a": "b"})


POD = {
    "metadata": {"name": "web-0", "namespace": "shop"},
    "spec": {"nodeName": "node1", "restartPolicy": "Always"},
    "status": {"phase": "Running", "podIP": "10.244.1.4"},
}
EVENT = {
    "metadata": {"name": "web-0.1", "namespace": "shop"},
    "involvedObject": {"kind": "Pod", "name": "web-0"},
    "reason": "Unhealthy",
    "type": "Warning",
    "source": {},
    "reportingComponent": "kubelet",
}


@pytest.mark.parametrize(
    ("plural", "item", "selector", "match"),
    [
        ("pods", POD, "spec.nodeName=node1,status.phase!=Failed", True),
        ("pods", POD, "spec.host=node1", True),
        ("pods", POD, "spec.hostNetwork=false", True),
        ("pods", POD, "metadata.name==web-1", False),
        ("pods", {"metadata": {"name": "a"}}, "spec.nodeName=", True),
        ("pods", POD, "", True),
        ("events", EVENT, "involvedObject.name=web-0,type=Warning,source=kubelet", True),
        ("events", EVENT, "reason=Killing", False),
        ("services", {"metadata": {}, "spec": {"clusterIP": "None"}}, "spec.clusterIP=None", True),
        ("configmaps", {"metadata": {"name": "a=b"}}, r"metadata.name=a\=b", True),
        ("nodes", {"metadata": {"name": "n"}, "spec": {"unschedulable": True}}, "spec.unschedulable=true", True),
    ],
)
def test_fields(plural, item, selector, match):
    assert parse_fields(named(plural), selector)(item) is match


def test_a_field_that_must_have_one_value_is_known():
    selector = parse_fields(named("pods"), "metadata.name=web-0,spec.nodeName!=node1")
    assert (selector.exactly("metadata.name"), selector.exactly("spec.nodeName")) == ("web-0", None)


@pytest.mark.parametrize(
    ("plural", "selector", "message"),
    [
        (
            "configmaps",
            "data.x=1",
            '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("gateways", "spec.x=1", "field label not supported: spec.x"),
        ("pods", "metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
    ],
)
def test_a_bad_field_selector_is_refused(plural, selector, message):
    with pytest.raises(Refusal, match=r".*") as refused:
        parse_fields(named(plural), selector)
    assert (refused.value.code, str(refused.value)) == (400, message)
