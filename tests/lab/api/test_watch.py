"""Watches over HTTP: what is told, what is not, and how they end."""

import json
import time
from functools import partial

import pytest

from svcdoctor.lab.api import handlers_watch, watching
from svcdoctor.lab.resources import named
from tests.lab.api.conftest import recall
from tests.lab.api.served import JANE, PEER, serve
from tests.lab.api.test_server_wire import without_managed_fields
from tests.lab.recorded import exchange

MAPS = "/api/v1/namespaces/shop/configmaps"


def config_map(name, **labels):
    meta = {"name": name, "namespace": "shop"} | ({"labels": labels} if labels else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {}}


def told(events):
    return [(event["type"], event["object"]["metadata"].get("name")) for event in events]


def told_so_far(served, watch, **labels):
    """What the watch has told and not been read, up to a last object that is put now."""
    served.put(config_map("zz-last", **labels))
    events: list[dict] = []
    while told(events)[-1:] != [("ADDED", "zz-last")]:
        events.append(watch.next())
    return told(events[:-1])


def test_begins_with_what_is_there_where_no_revision_is_named(served):
    served.put(config_map("a"), config_map("b"))
    for revision in ("", "&resourceVersion=0"):
        with served.stream(f"{MAPS}?watch=true{revision}") as watch:
            assert told_so_far(served, watch) == [("ADDED", "a"), ("ADDED", "b")]
        served.ask("DELETE", f"{MAPS}/zz-last")


def test_goes_on_from_a_revision(served):
    served.put(config_map("a"))
    revision = served.ask("GET", MAPS).json()["metadata"]["resourceVersion"]
    served.put(config_map("b"))
    with served.stream(f"{MAPS}?watch=true&resourceVersion={revision}") as watch:
        assert told([watch.next()]) == [("ADDED", "b")]
        served.put({**config_map("b"), "data": {"x": "y"}})
        served.ask("DELETE", f"{MAPS}/b")
        assert told_so_far(served, watch) == [("MODIFIED", "b"), ("DELETED", "b")]


def test_what_is_deleted_is_shown_under_the_revision_of_its_deletion(served):
    served.put(config_map("a"))
    with served.stream(f"{MAPS}?watch=true") as watch:
        added = watch.next()["object"]["metadata"]["resourceVersion"]
        served.ask("DELETE", f"{MAPS}/a")
        assert int(watch.next()["object"]["metadata"]["resourceVersion"]) == int(added) + 1


def test_what_leaves_the_selection_is_deleted_as_it_last_was_inside(served):
    served.put(config_map("a", app="web"))
    with served.stream(f"{MAPS}?watch=true&labelSelector=app%3Dweb") as watch:
        watch.next()
        served.put(config_map("a", app="other"))
        left = watch.next()
        served.put(config_map("a", app="web"))
        back = watch.next()
        served.put(config_map("b", app="other"))
        assert told_so_far(served, watch, app="web") == []
    assert (left["type"], left["object"]["metadata"]["labels"]) == ("DELETED", {"app": "web"})
    assert back["type"] == "ADDED"
    assert int(back["object"]["metadata"]["resourceVersion"]) == int(left["object"]["metadata"]["resourceVersion"]) + 1


def test_a_field_selector_narrows_it_too(served):
    with served.stream(f"{MAPS}?watch=true&fieldSelector=metadata.name%21%3Da") as watch:
        served.put(config_map("a"), config_map("b"))
        assert told_so_far(served, watch) == [("ADDED", "b")]


def test_other_namespaces_and_kinds_are_not_told(served):
    with served.stream(f"{MAPS}?watch=true") as watch:
        other = config_map("a")
        served.put({**other, "metadata": {"name": "a", "namespace": "kube-system"}})
        served.put({**other, "kind": "Secret"})
        assert told_so_far(served, watch) == []


def test_ends_with_a_bookmark(served):
    served.put(config_map("a"))
    with served.stream(f"{MAPS}?watch=true&resourceVersion=1&allowWatchBookmarks=true&timeoutSeconds=1") as watch:
        events = watch.rest()
    last = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"resourceVersion": str(served.store.revision)}}
    assert events[-1] == {"type": "BOOKMARK", "object": last}


def test_bookmarks_come_regularly(served, monkeypatch):
    monkeypatch.setattr(handlers_watch, "BOOKMARKS", 0.05)
    with served.stream(f"{MAPS}?watch=true&resourceVersion=1&allowWatchBookmarks=true") as watch:
        first = watch.next()["object"]["metadata"]["resourceVersion"]
        served.put(config_map("a"))
        events = [watch.next()]
        while events[-1]["type"] != "BOOKMARK" or events[-1]["object"]["metadata"]["resourceVersion"] == first:
            events.append(watch.next())
    assert ("ADDED", "a") in told(events)


def test_a_forgotten_revision_is_an_error_event(served):
    served.put(config_map("a"))
    served.call(served.store.compact)
    with served.stream(f"{MAPS}?watch=true&resourceVersion=1") as watch:
        events = watch.rest()
    oldest = served.store.compacted
    assert events == [
        {
            "type": "ERROR",
            "object": {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": f"too old resource version: 1 ({oldest})",
                "reason": "Expired",
                "code": 410,
            },
        }
    ]


@pytest.mark.parametrize("name", ["watch-bookmark", "watch-initial-events"])
def test_asks_more_than_the_recorded_etcd_can(recorded, name):
    wanted = exchange(name)
    with recorded.stream(wanted.path) as watch:
        assert watch.rest() == [wanted.json()]


def test_a_future_revision_is_waited_for_in_silence(recorded):
    with recorded.stream(exchange("watch-future-rv").path.replace("timeoutSeconds=3", "timeoutSeconds=1")) as watch:
        assert watch.rest() == []


def test_is_forbidden_before_it_begins(recorded):
    reply = recorded.ask("GET", "/api/v1/namespaces/shop/pods?watch=true", token=JANE)
    assert (reply.code, reply.json()["reason"]) == (403, "Forbidden")
    with recorded.stream("/api/v1/namespaces/shop/pods?watch=true", token=PEER) as watch:
        assert watch.next()["type"] == "ADDED"


def test_options_that_contradict_each_other_are_refused(recorded):
    reply = recorded.ask("GET", "/api/v1/namespaces/shop/pods?watch=true&resourceVersionMatch=NotOlderThan")
    assert (reply.code, reply.json()["message"]) == (
        422,
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    )


def test_the_recorded_switch_of_a_selector(tmp_path):
    """The Service was made to select nothing, and mended again."""
    wanted = exchange("watch-slices-selector-switch")
    first, second, bookmark = (json.loads(line) for line in wanted.body.splitlines())
    with serve(tmp_path) as served:
        recall(served)
        with served.stream(wanted.path.replace("timeoutSeconds=5", "timeoutSeconds=1")) as watch:
            for event in (first, second):
                served.at(int(event["object"]["metadata"]["resourceVersion"]) - 1)
                served.call(partial(served.store.replace, named("endpointslices"), event["object"]))
            got = watch.rest()
    assert without_managed_fields(got) == without_managed_fields([first, second, bookmark])


def test_a_reader_that_does_not_read_is_cut_off(served, monkeypatch):
    monkeypatch.setattr(watching, "QUEUE", 20)
    big = {"x": "y" * 200_000}
    with served.stream(f"{MAPS}?watch=true&resourceVersion=1") as watch:
        for number in range(100):
            served.put({**config_map(f"a{number}"), "data": big})
        with pytest.raises(Exception, match=r"Connection|IncompleteRead|reset"):
            watch.rest()


def test_ends_when_the_server_does(tmp_path):
    begun = time.monotonic()
    with serve(tmp_path) as served, served.stream("/api/v1/pods?watch=true") as watch:
        served.put(config_map("a"))
        del watch
    assert time.monotonic() - begun < 3


def test_nothing_listens_on_when_the_client_has_gone(served, monkeypatch):
    monkeypatch.setattr(handlers_watch, "GLANCE", 0.05)
    with served.stream(f"{MAPS}?watch=true&resourceVersion=1"):
        assert served.call(lambda: len(served.store._listeners)) == 1
    deadline = time.monotonic() + 5
    while served.call(lambda: len(served.store._listeners)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served.call(lambda: len(served.store._listeners)) == 0


def test_the_old_way_to_ask_for_one(served):
    served.put(config_map("a"), config_map("b"))
    with served.stream("/api/v1/watch/namespaces/shop/configmaps/b") as watch:
        assert told([watch.next()]) == [("ADDED", "b")]
        served.put({**config_map("a"), "data": {"x": "y"}}, {**config_map("b"), "data": {"x": "y"}})
        assert told([watch.next()]) == [("MODIFIED", "b")]
