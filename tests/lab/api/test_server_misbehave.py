"""What goes wrong on demand, and the paths by which it is demanded."""

import time

import pytest
import urllib3

from svcdoctor.errors import UsageError
from tests.lab.api.objects import MAPS, config_map, names, said
from tests.lab.api.served import JANE, serve

PODS = "/api/v1/namespaces/shop/pods"


def misbehave(served, deed, **how):
    reply = served.ask("POST", "/lab/misbehave", {"deed": deed, **how})
    assert (reply.code, reply.json()) == (200, {})


def test_slow(served):
    misbehave(served, "slow", seconds=0.2, times=1)
    begun = time.monotonic()
    assert served.ask("GET", PODS).code == 200
    assert time.monotonic() - begun >= 0.2


def test_too_many_requests(served):
    misbehave(served, "throttle", seconds=3, times=2)
    refused = [served.ask("GET", PODS) for _ in range(2)]
    assert [(reply.code, reply.headers["retry-after"]) for reply in refused] == [(429, "3")] * 2
    assert refused[0].json()["details"] == {"retryAfterSeconds": 3}
    assert served.ask("GET", PODS).code == 200


def test_an_expired_token(served):
    misbehave(served, "expire")
    assert said(served.ask("GET", PODS)) == (401, "Unauthorized")
    served.ask("POST", "/lab/behave")
    assert served.ask("GET", PODS).code == 200


def test_only_where_it_is_wanted(served):
    misbehave(served, "throttle", path="*/pods", verb="list")
    assert [served.ask("GET", path).code for path in (PODS, MAPS, f"{PODS}/x")] == [429, 200, 404]


@pytest.mark.parametrize("size", [10, 500_000])
def test_a_connection_that_breaks_in_mid_answer(served, size):
    served.put(config_map("a", x="y" * size))
    misbehave(served, "drop", times=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        served.ask("GET", MAPS)
    assert names(served.ask("GET", MAPS)) == ["a"]


def test_a_body_that_ends_early(served):
    served.put(config_map("a"))
    whole = served.ask("GET", MAPS).body
    misbehave(served, "truncate")
    cut = served.ask("GET", MAPS)
    assert (cut.code, cut.body) == (200, whole[: len(whole) // 2])


def test_garbage(served):
    misbehave(served, "garbage")
    reply = served.ask("GET", MAPS)
    assert (reply.code, reply.headers["content-type"], reply.body[:6]) == (200, "application/json", b"<html>")


def test_a_watch_that_breaks(served):
    served.put(config_map("a"), config_map("b"))
    misbehave(served, "drop", verb="watch", after=1)
    with served.stream(f"{MAPS}?watch=true") as watch:
        assert watch.next()["object"]["metadata"]["name"] == "a"
        with pytest.raises(urllib3.exceptions.ProtocolError):
            watch.rest()
    served.ask("POST", "/lab/behave")
    misbehave(served, "drop", verb="watch")
    with served.stream(f"{PODS}?watch=true") as watch, pytest.raises(urllib3.exceptions.ProtocolError):
        watch.rest()


def test_a_watch_that_ends_inside_an_event(served):
    served.put(config_map("a"), config_map("b"))
    misbehave(served, "truncate", verb="watch", after=1)
    with served.stream(f"{MAPS}?watch=true") as watch:
        text = b"".join(watch.response.read_chunked())
    whole, half = text.split(b"\n")
    assert (whole[-1:], half[:8]) == (b"}", b'{"type":')


def test_a_storm_of_410(served):
    served.put(*(config_map(f"m{number}") for number in range(3)))
    misbehave(served, "gone")
    page = served.ask("GET", f"{MAPS}?limit=1")
    assert page.code == 200
    assert served.ask("GET", f"{MAPS}?continue={page.json()['metadata']['continue']}").code == 410
    with served.stream(f"{MAPS}?watch=true&resourceVersion={page.json()['metadata']['resourceVersion']}") as watch:
        assert [(event["type"], event["object"]["code"]) for event in watch.rest()] == [("ERROR", 410)]


def test_half_open(served):
    """Nothing comes and nothing ends, whatever timeout was asked for; yet the server can still end."""
    misbehave(served, "half-open")
    with served.stream(f"{MAPS}?watch=true&timeoutSeconds=1", timeout=1.2) as watch:
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            watch.rest()
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            served.ask("GET", MAPS, timeout=0.2)


class TestControl:
    def test_is_the_administrators_alone(self, served):
        assert served.ask("GET", "/lab", token=JANE).code == 403
        assert served.ask("GET", "/lab", token=None).code == 403
        assert served.ask("GET", "/lab", token="nobody's").code == 401
        assert served.ask("GET", "/lab").json() == {"controls": ["behave", "deny", "misbehave"]}

    def test_what_does_not_fit_is_refused(self, served):
        assert said(served.ask("POST", "/lab/misbehaved", {})) == (
            404,
            'the lab has no "misbehaved", but "misbehave"',
        )
        assert served.ask("POST", "/lab/misbehave", {"deed": "nonsense"}).code == 400
        assert served.ask("POST", "/lab/misbehave", {"deed": "slow", "colour": "red"}).code == 400
        assert served.ask("POST", "/lab/behave", {"what": 1}).code == 400
        assert served.ask("POST", "/lab/behave", b"[").code == 400
        assert served.ask("DELETE", "/lab/behave").code == 405

    def test_calls_what_it_was_given(self, tmp_path):
        async def heal():
            return {"healed": True}

        def break_(fault):
            if fault != "selector-typo":
                raise UsageError(f"unknown fault {fault}", "try selector-typo")
            return {"broken": fault}

        with serve(tmp_path, {"break": break_, "heal": heal}) as served:
            assert served.ask("POST", "/lab/break", {"fault": "selector-typo"}).json() == {"broken": "selector-typo"}
            assert served.ask("GET", "/lab/break?fault=selector-typo").json() == {"broken": "selector-typo"}
            assert said(served.ask("POST", "/lab/break", {"fault": "x"})) == (400, "unknown fault x")
            assert served.ask("POST", "/lab/heal").json() == {"healed": True}

    def test_misbehaviours_leave_it_alone(self, served):
        misbehave(served, "expire")
        misbehave(served, "half-open")
        assert served.ask("POST", "/lab/behave").code == 200
        assert served.ask("GET", PODS).code == 200
