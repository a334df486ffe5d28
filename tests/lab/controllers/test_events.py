"""Events: counted, combined, held back and forgotten as client-go and the API server do it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.clock import Clock
from svcdoctor.lab.controllers.events import EVENTS, EventRecorder, SeriesRecorder
from svcdoctor.lab.controllers.expiry import EventExpiry
from svcdoctor.lab.store import Store

from ..kubelet.world import START

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop", "uid": "u-1", "resourceVersion": "7"},
}


@pytest.fixture
def store():
    return Store(Clock(START))


def held(store):
    return [(event["count"], event["message"]) for event in _all(store)]


def _all(store):
    return [stored.load() for stored in store.list(EVENTS)]


def later(store, **time):
    store.clock.run_until(store.clock.now + timedelta(**time))


def test_an_event_is_whole(store):
    EventRecorder(store, "kubelet", "node1").record(
        POD, "Normal", "Started", "Container started", "spec.containers{app}"
    )
    (event,) = _all(store)
    meta = event.pop("metadata")
    assert meta["name"] == f"web-0.{int(START.timestamp()) * 10**9:x}"
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "count": 1,
        "eventTime": None,
        "firstTimestamp": "2026-11-25T12:00:00Z",
        "involvedObject": {
            "apiVersion": "v1",
            "fieldPath": "spec.containers{app}",
            "kind": "Pod",
            "name": "web-0",
            "namespace": "shop",
            "resourceVersion": "7",
            "uid": "u-1",
        },
        "lastTimestamp": "2026-11-25T12:00:00Z",
        "message": "Container started",
        "reason": "Started",
        "reportingComponent": "kubelet",
        "reportingInstance": "node1",
        "source": {"component": "kubelet", "host": "node1"},
        "type": "Normal",
    }


def test_the_same_event_is_counted_and_written_25_times_then_every_five_minutes(store):
    recorder = EventRecorder(store, "kubelet", "node1")
    for _ in range(100):
        recorder.record(POD, "Warning", "Unhealthy", "refused")
    assert held(store) == [(25, "refused")]
    due = recorder.due(POD, "Warning", "Unhealthy")
    assert due == START + timedelta(minutes=5)
    later(store, minutes=5)
    recorder.record(POD, "Warning", "Unhealthy", "refused", times=30)
    assert held(store) == [(130, "refused")]


def test_from_the_tenth_message_on_they_are_combined(store):
    recorder = EventRecorder(store, "replicaset-controller")
    for number in range(12):
        recorder.record(POD, "Normal", "SuccessfulCreate", f"Created pod: web-{number}")
    assert len(held(store)) == 10
    assert (3, "(combined from similar events): Created pod: web-11") in held(store)


def test_an_event_that_is_gone_is_written_anew(store):
    recorder = EventRecorder(store, "kubelet", "node1")
    recorder.record(POD, "Warning", "BackOff", "back-off")
    store.delete(EVENTS, "shop", _all(store)[0]["metadata"]["name"])
    recorder.record(POD, "Warning", "BackOff", "back-off")
    assert held(store) == [(2, "back-off")]


def test_the_schedulers_events_count_in_a_series(store):
    recorder = SeriesRecorder(store, "default-scheduler", "default-scheduler-lab")
    for _ in range(3):
        recorder.record(POD, "Warning", "FailedScheduling", "Scheduling", "no nodes")
        later(store, seconds=1)
    (event,) = _all(store)
    assert event["series"] == {"count": 3, "lastObservedTime": "2026-11-25T12:00:02.000000Z"}
    assert (event["eventTime"], event["firstTimestamp"]) == ("2026-11-25T12:00:00.000000Z", None)


def test_events_are_forgotten_an_hour_after_their_last_change(store):
    expiry = EventExpiry(store)
    expiry.start()
    recorder = EventRecorder(store, "kubelet", "node1")
    recorder.record(POD, "Normal", "Started", "once")
    recorder.record(POD, "Normal", "Pulled", "again")
    later(store, minutes=30)
    recorder.record(POD, "Normal", "Pulled", "again")
    later(store, minutes=31)
    assert held(store) == [(2, "again")]
    later(store, minutes=31)
    assert held(store) == []


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 400)), max_size=60))
def test_no_failure_is_lost_however_it_is_told(steps):
    """The count that is written is never more than what happened, and less only by what was not due yet."""
    store = Store(Clock(START))
    recorder = EventRecorder(store, "kubelet", "node1")
    happened = 0
    for times, wait in steps:
        due = recorder.due(POD, "Warning", "Unhealthy") <= store.clock.now
        recorder.record(POD, "Warning", "Unhealthy", "refused", times=times)
        happened += times
        (event,) = _all(store)
        assert event["count"] == happened if due else event["count"] <= happened
        later(store, seconds=wait)
