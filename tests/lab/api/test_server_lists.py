"""Lists over HTTP: pages, revisions, selections, forms."""

import time

import pytest

from svcdoctor.lab.resources import named
from tests.lab.api.objects import MAPS, SHOP, config_map, names, pod, said


class TestLists:
    def test_pages_show_one_moment(self, served):
        served.put(*(config_map(f"m{number}") for number in range(5)))
        first = served.ask("GET", f"{MAPS}?limit=2")
        meta = first.json()["metadata"]
        served.ask("DELETE", f"{MAPS}/m2")
        served.put(config_map("m9"))
        second = served.ask("GET", f"{MAPS}?limit=2&continue={meta['continue']}").json()
        third = served.ask("GET", f"{MAPS}?limit=2&continue={second['metadata']['continue']}")
        assert (names(first), meta["remainingItemCount"]) == (["m0", "m1"], 3)
        assert [item["metadata"]["name"] for item in second["items"]] == ["m2", "m3"]
        assert names(third) == ["m4"]
        assert third.json()["metadata"] == {"resourceVersion": meta["resourceVersion"]}

    def test_pages_of_all_namespaces(self, served):
        served.put(config_map("b"), {**config_map("a"), "metadata": {"name": "a", "namespace": "kube-system"}})
        token = served.ask("GET", "/api/v1/configmaps?limit=1").json()["metadata"]["continue"]
        assert names(served.ask("GET", f"/api/v1/configmaps?limit=1&continue={token}")) == ["b"]

    def test_nobody_counts_what_a_selector_leaves(self, served):
        served.put(*(config_map(f"m{number}") for number in range(3)))
        meta = served.ask("GET", f"{MAPS}?limit=1&labelSelector=!x").json()["metadata"]
        assert "remainingItemCount" not in meta
        assert meta["continue"]

    def test_a_token_that_is_too_old_tells_how_to_go_on(self, served):
        served.put(*(config_map(f"m{number}") for number in range(4)))
        token = served.ask("GET", f"{MAPS}?limit=2").json()["metadata"]["continue"]
        served.put(config_map("m9"))
        served.call(served.store.compact)
        gone = served.ask("GET", f"{MAPS}?limit=2&continue={token}")
        assert (gone.code, gone.json()["reason"]) == (410, "Expired")
        going_on = served.ask("GET", f"{MAPS}?continue={gone.json()['metadata']['continue']}")
        assert names(going_on) == ["m2", "m3", "m9"]

    def test_an_exact_revision(self, served):
        served.put(config_map("a"))
        then = served.ask("GET", MAPS).json()["metadata"]["resourceVersion"]
        served.put(config_map("b"))
        exact = served.ask("GET", f"{MAPS}?resourceVersion={then}&resourceVersionMatch=Exact")
        assert (names(exact), exact.json()["metadata"]) == (["a"], {"resourceVersion": then})
        assert names(served.ask("GET", f"{MAPS}?resourceVersion={then}")) == ["a", "b"]
        assert names(served.ask("GET", f"{MAPS}?resourceVersion={then}&limit=9")) == ["a"]

    def test_a_revision_that_is_still_to_come(self, served):
        reply = served.ask("GET", f"{MAPS}?resourceVersion=99999")
        assert said(reply) == (504, f"Timeout: Too large resource version: 99999, current: {served.store.revision}")
        assert reply.headers["retry-after"] == "1"

    @pytest.mark.parametrize(
        ("query", "code", "message"),
        [
            ("limit=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
            (
                "resourceVersion=x",
                400,
                'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
            ),
            (
                "resourceVersionMatch=Exact",
                422,
                'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ),
            ("continue=%3F", 400, "invalid continue token: continue key is not valid: "
             "illegal base64 data at input byte 0"),
            ("continue=e30", 400, "invalid continue token: continue key is not valid: "
             'server does not recognize this encoded version ""'),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense(self, served, query, code, message):
        assert said(served.ask("GET", f"{MAPS}?{query}")) == (code, message)

    def test_fields_and_labels_select(self, served):
        web = pod("web-0", labels={"app": "web"})
        served.put(web, pod("web-1", node="node2", labels={"app": "web"}), pod("other"))
        assert names(served.ask("GET", f"{SHOP}/pods?labelSelector=app%3Dweb")) == ["web-0", "web-1"]
        assert names(served.ask("GET", f"{SHOP}/pods?fieldSelector=spec.nodeName%3Dnode1")) == ["other", "web-0"]
        both = f"{SHOP}/pods?fieldSelector=spec.nodeName%3Dnode1&labelSelector=app%3Dweb"
        assert names(served.ask("GET", both)) == ["web-0"]
        assert names(served.ask("GET", f"{SHOP}/pods?fieldSelector=metadata.name%3Dweb-1")) == ["web-1"]

    def test_large_ones_are_compressed_for_who_wants_it(self, served):
        served.put(*(config_map(f"m{number}", x="y" * 1000) for number in range(300)))
        plain = served.ask("GET", MAPS)
        packed = served.ask("GET", MAPS, Accept_Encoding="gzip")
        assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (None, "gzip")
        assert plain.json() == packed.json()
        assert len(names(plain)) == 300

    def test_kind_is_said_once_whatever_order_it_came_in(self, served):
        served.ask(
            "POST",
            MAPS,
            b'{"metadata":{"name":"a"},"kind":"ConfigMap","apiVersion":"v1"}',
            Content_Type="application/json",
        )
        item = served.ask("GET", MAPS).json()["items"][0]
        assert set(item) == {"metadata"}

    def test_pretty(self, served):
        served.put(config_map("a"))
        assert served.ask("GET", f"{MAPS}?pretty=true").body.startswith(b'{\n  "kind": "ConfigMapList"')
        assert served.ask("GET", MAPS, User_Agent="curl/8").body.startswith(b"{\n")
        assert b"\n " not in served.ask("GET", f"{MAPS}?pretty=false", User_Agent="curl/8").body

    def test_only_json_is_spoken(self, served):
        reply = served.ask("GET", MAPS, Accept="application/vnd.kubernetes.protobuf")
        assert (reply.code, reply.json()["reason"]) == (406, "NotAcceptable")
        preferred = served.ask("GET", MAPS, Accept="application/vnd.kubernetes.protobuf,application/json")
        assert preferred.code == 200

    def test_endpoints_are_deprecated(self, served):
        warning = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
        assert served.ask("GET", f"{SHOP}/endpoints").headers["warning"] == warning


def test_fifty_thousand_pods_are_listed_quickly(served):
    resource = named("pods")

    def crowd():
        for number in range(50_000):
            made = pod(f"p{number:05}", uid=f"u{number}", creationTimestamp="2026-11-23T02:19:22Z")
            yield served.store.version(made)

    served.call(lambda: served.store.load(resource, crowd()))
    begun = time.perf_counter()
    reply = served.ask("GET", "/api/v1/pods")
    took = time.perf_counter() - begun
    assert reply.body.count(b'"name":"p') == 50_000
    assert took < 2
