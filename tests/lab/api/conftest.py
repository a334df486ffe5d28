"""Servers for the tests of this folder."""

import pytest

from svcdoctor.lab.resources import named
from tests.lab.api.served import namespace, serve
from tests.lab.recorded import exchange


@pytest.fixture
def served(tmp_path):
    """An API server with an empty namespace, shop."""
    with serve(tmp_path) as running:
        running.put(namespace("shop"), namespace("kube-system"))
        yield running


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """An API server that holds what the recorded one held at revision 505. Only for what changes nothing."""
    with serve(tmp_path_factory.mktemp("recorded")) as running:
        running.put(namespace("shop"), namespace("kube-system"))
        recall(running)
        yield running


def recall(running):
    pods = [item for page in ("list-pods-page1", "list-pods-page2") for item in exchange(page).json()["items"]]
    running.recall(named("pods"), [*pods, *exchange("list-proxy-pods").json()["items"]])
    running.recall(named("services"), [exchange("get-service").json()])
    running.recall(named("endpointslices"), exchange("list-slices-by-label").json()["items"])
    running.recall(named("events"), exchange("list-events-by-field").json()["items"])
    running.recall(named("servicecidrs"), exchange("servicecidrs").json()["items"])
    running.at(505)
