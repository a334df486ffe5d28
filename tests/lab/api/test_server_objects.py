"""Objects over HTTP: pages, revisions, writes, deletion, and the parts of objects."""

import time
from typing import Any

import pytest

from svcdoctor.lab.resources import named
from tests.lab.api.served import JANE, PEER, namespace

SHOP = "/api/v1/namespaces/shop"
MAPS = f"{SHOP}/configmaps"
APPS = "/apis/apps/v1/namespaces/shop"
MERGE = "application/merge-patch+json"


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data}


def pod(name="web-0", node="node1", **meta):
    meta = {"name": name, "namespace": "shop", **meta}
    spec = (
        {"containers": [{"name": "app", "image": "web"}], "nodeName": node}
        if node
        else {"containers": [{"name": "app", "image": "web"}]}
    )
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Running"}}


def names(reply):
    return [item["metadata"]["name"] for item in reply.json()["items"]]


def said(reply):
    return reply.code, reply.json()["message"]


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


class TestWrites:
    def test_a_name_is_generated(self, served):
        made = served.ask("POST", MAPS, {"metadata": {"generateName": "m-"}})
        assert made.code == 201
        assert served.ask("GET", f"{MAPS}/{made.json()['metadata']['name']}").json() == made.json()

    def test_into_no_namespace_and_one_that_ends(self, served):
        assert said(served.ask("POST", "/api/v1/namespaces/nope/configmaps", {"metadata": {"name": "a"}})) == (
            404,
            'namespaces "nope" not found',
        )
        served.put(namespace("gone", deletionTimestamp="2026-11-23T02:19:22Z"))
        reply = served.ask("POST", "/api/v1/namespaces/gone/configmaps", {"metadata": {"name": "a"}})
        assert said(reply) == (
            403,
            'configmaps "a" is forbidden: unable to create new content in namespace gone because '
            "it is being terminated",
        )
        assert reply.json()["details"]["causes"][0]["reason"] == "NamespaceTerminating"

    @pytest.mark.parametrize(
        ("body", "code", "message"),
        [
            (
                b"nope",
                400,
                "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; "
                "json parse error: invalid character 'o' in literal null (expecting 'u')",
            ),
            (
                b"",
                400,
                "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; "
                "json parse error: unexpected end of JSON input",
            ),
        ],
    )
    def test_what_is_no_object(self, served, body, code, message):
        assert said(served.ask("POST", MAPS, body, Content_Type="application/json")) == (code, message)

    def test_other_kinds_and_places(self, served):
        assert served.ask("POST", MAPS, pod()).code == 400
        elsewhere = {"metadata": {"name": "a", "namespace": "kube-system"}}
        assert said(served.ask("POST", MAPS, elsewhere)) == (
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        )
        assert served.ask("POST", MAPS, b"a: b", Content_Type="text/plain").code == 415

    def test_yaml_is_understood(self, served):
        made = served.ask("POST", MAPS, b"metadata: {name: a}\ndata: {x: y}\n", Content_Type="application/yaml")
        assert (made.code, made.json()["data"]) == (201, {"x": "y"})

    def test_too_much_is_refused(self, served):
        reply = served.ask("POST", MAPS, {"data": {"x": "y" * 3_200_000}})
        assert said(reply) == (413, "Request entity too large: limit is 3145728")

    def test_unknown_fields(self, served):
        body = {"metadata": {"name": "a"}, "dat": {}}
        strict = served.ask("POST", f"{MAPS}?fieldValidation=Strict", body)
        assert (strict.code, "unknown field" in strict.json()["message"]) == (400, True)
        warned = served.ask("POST", MAPS, body)
        assert (warned.code, warned.headers["warning"]) == (201, '299 - "unknown field \\"dat\\""')
        assert "warning" not in served.ask("PUT", f"{MAPS}/a?fieldValidation=Ignore", body).headers

    def test_dry_runs_store_nothing(self, served):
        dry = served.ask("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "a"}})
        assert (dry.code, dry.json()["metadata"].get("resourceVersion")) == (201, None)
        assert dry.json()["metadata"]["uid"]
        assert names(served.ask("GET", MAPS)) == []
        served.put(config_map("a", x="old"))
        patched = served.ask("PATCH", f"{MAPS}/a?dryRun=All", {"data": {"x": "new"}}, Content_Type=MERGE)
        assert patched.json()["data"] == {"x": "new"}
        assert served.ask("DELETE", f"{MAPS}/a?dryRun=All").json()["status"] == "Success"
        assert served.ask("GET", f"{MAPS}/a").json()["data"] == {"x": "old"}
        assert served.ask("DELETE", f"{MAPS}/a?dryRun=Some").code == 422

    def test_who_names_a_revision_means_it(self, served):
        served.put(config_map("a"))
        live = served.ask("GET", f"{MAPS}/a").json()
        assert served.ask("PUT", f"{MAPS}/a", {**live, "data": {"x": "1"}}).code == 200
        assert served.ask("PUT", f"{MAPS}/a", {**live, "data": {"x": "2"}}).code == 409
        stale = {"metadata": {"resourceVersion": live["metadata"]["resourceVersion"]}, "data": {"x": "3"}}
        assert served.ask("PATCH", f"{MAPS}/a", stale, Content_Type=MERGE).code == 409
        del live["metadata"]["resourceVersion"]
        assert served.ask("PUT", f"{MAPS}/a", {**live, "data": {"x": "4"}}).code == 200

    def test_an_update_that_changes_nothing_is_no_new_version(self, served):
        served.put(config_map("a", x="y"))
        live = served.ask("GET", f"{MAPS}/a").json()
        assert served.ask("PUT", f"{MAPS}/a", live).json() == live

    def test_another_name_than_the_path(self, served):
        served.put(config_map("a"))
        assert said(served.ask("PUT", f"{MAPS}/a", config_map("b"))) == (
            400,
            "the name of the object (b) does not match the name on the URL (a)",
        )

    def test_an_apply_makes_what_is_not_there(self, served):
        applied = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"x": "y"}}
        made = served.ask("PATCH", f"{MAPS}/a", applied, Content_Type="application/apply-patch+yaml")
        again = served.ask("PATCH", f"{MAPS}/a", applied, Content_Type="application/apply-patch+yaml")
        assert (made.code, again.code, made.json()) == (201, 200, again.json())
        assert served.ask("PATCH", f"{MAPS}/b", applied, Content_Type=MERGE).code == 404

    def test_addresses_are_free_again_after_a_service(self, served):
        wanted = {"spec": {"type": "NodePort", "clusterIP": "10.96.7.7", "ports": [{"port": 80, "nodePort": 30777}]}}
        path = f"{SHOP}/services"
        assert served.ask("POST", path, {"metadata": {"name": "a"}, **wanted}).code == 201
        taken = served.ask("POST", path, {"metadata": {"name": "b"}, **wanted})
        assert (taken.code, "already allocated" in taken.json()["message"]) == (422, True)
        to_plain = served.ask("PATCH", f"{path}/a", {"spec": {"type": "ClusterIP"}}, Content_Type=MERGE).json()
        assert "nodePort" not in to_plain["spec"]["ports"][0]
        port_alone = {"spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30777}]}}
        assert served.ask("POST", path, {"metadata": {"name": "c"}, **port_alone}).code == 201
        served.ask("DELETE", f"{path}/a")
        served.ask("DELETE", f"{path}/c")
        assert served.ask("POST", path, {"metadata": {"name": "b"}, **wanted}).code == 201


class TestDeletion:
    def test_a_pod_with_a_node_waits_for_its_kubelet(self, served):
        served.put(pod())
        gone = served.ask("DELETE", f"{SHOP}/pods/web-0", {"gracePeriodSeconds": 5})
        meta = gone.json()["metadata"]
        assert (gone.code, meta["deletionTimestamp"], meta["deletionGracePeriodSeconds"]) == (
            200,
            "2026-11-23T02:19:27Z",
            5,
        )
        assert served.ask("DELETE", f"{SHOP}/pods/web-0").json()["metadata"] == meta
        sooner = served.ask("DELETE", f"{SHOP}/pods/web-0?gracePeriodSeconds=2").json()["metadata"]
        assert (sooner["deletionTimestamp"], sooner["deletionGracePeriodSeconds"]) == ("2026-11-23T02:19:24Z", 2)
        assert served.ask("DELETE", f"{SHOP}/pods/web-0?gracePeriodSeconds=0").code == 200
        assert served.ask("GET", f"{SHOP}/pods/web-0").code == 404

    def test_a_pod_without_a_node_goes_at_once(self, served):
        served.put(pod(node=""))
        assert served.ask("DELETE", f"{SHOP}/pods/web-0").json()["kind"] == "Pod"
        assert served.ask("GET", f"{SHOP}/pods/web-0").code == 404

    def test_most_kinds_answer_with_a_status(self, served):
        served.put(config_map("a"))
        uid = served.ask("GET", f"{MAPS}/a").json()["metadata"]["uid"]
        assert served.ask("DELETE", f"{MAPS}/a").json() == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {"name": "a", "kind": "configmaps", "uid": uid},
        }

    def test_finalizers_are_waited_for(self, served):
        held = config_map("a")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        served.put(held)
        assert served.ask("DELETE", f"{MAPS}/a").json()["metadata"]["deletionTimestamp"] == "2026-11-23T02:19:22Z"
        assert served.ask("GET", f"{MAPS}/a").code == 200
        served.ask("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": None}}, Content_Type=MERGE)
        assert served.ask("GET", f"{MAPS}/a").code == 404

    @pytest.mark.parametrize(("policy", "finalizers"), [("Orphan", ["orphan"]), ("Foreground", ["foregroundDeletion"])])
    def test_dependents_come_first(self, served, policy, finalizers):
        served.put(config_map("a"))
        waits = served.ask("DELETE", f"{MAPS}/a", {"propagationPolicy": policy})
        assert (waits.code, waits.json()["metadata"]["finalizers"]) == (200, finalizers)

    def test_preconditions(self, served):
        served.put(config_map("a"))
        wrong = served.ask("DELETE", f"{MAPS}/a", {"preconditions": {"uid": "other"}})
        assert (wrong.code, "does not match the UID in record" in wrong.json()["message"]) == (409, True)
        assert served.ask("DELETE", f"{MAPS}/a", {"preconditions": {"resourceVersion": "1"}}).code == 409
        assert served.ask("DELETE", f"{MAPS}/a", {"propagationPolicy": "Sideways"}).code == 422

    def test_a_namespace_ends_when_it_is_emptied(self, served):
        served.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "brief"}})
        ending = served.ask("DELETE", "/api/v1/namespaces/brief").json()
        assert (ending["status"]["phase"], ending["spec"]["finalizers"]) == ("Terminating", ["kubernetes"])
        assert served.ask("GET", "/api/v1/namespaces/brief").code == 200
        ending["spec"]["finalizers"] = []
        assert served.ask("PUT", "/api/v1/namespaces/brief/finalize", ending).code == 200
        assert served.ask("GET", "/api/v1/namespaces/brief").code == 404

    def test_a_collection(self, served):
        served.put(config_map("a"), config_map("b"))
        assert names(served.ask("DELETE", f"{MAPS}?fieldSelector=metadata.name%3Da")) == ["a"]
        assert names(served.ask("GET", MAPS)) == ["b"]


class TestParts:
    def deployment(self):
        container = {"name": "app", "image": "web"}
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
        return {
            "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template},
            "status": {"replicas": 9},
        }

    def test_status_apart(self, served):
        made = served.ask("POST", f"{APPS}/deployments", self.deployment()).json()
        assert made["status"] == {}
        changed = {**made, "spec": {**made["spec"], "replicas": 7}, "status": {"replicas": 2}}
        told = served.ask("PUT", f"{APPS}/deployments/web/status", changed).json()
        assert (told["spec"]["replicas"], told["status"]) == (2, {"replicas": 2})
        del changed["metadata"]["resourceVersion"]
        kept = served.ask("PUT", f"{APPS}/deployments/web", {**changed, "status": {}}).json()
        assert (kept["spec"]["replicas"], kept["status"], kept["metadata"]["generation"]) == (7, {"replicas": 2}, 2)

    def test_scale(self, served):
        served.ask("POST", f"{APPS}/deployments", self.deployment())
        scale = served.ask("GET", f"{APPS}/deployments/web/scale").json()
        assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 0, "selector": "app=web"})
        up = served.ask("PATCH", f"{APPS}/deployments/web/scale", {"spec": {"replicas": 5}}, Content_Type=MERGE)
        assert (up.code, up.json()["spec"]) == (200, {"replicas": 5})
        assert served.ask("PUT", f"{APPS}/deployments/web/scale", scale).code == 409
        scale["metadata"].pop("resourceVersion")
        assert served.ask("PUT", f"{APPS}/deployments/web/scale", scale).json()["spec"] == {"replicas": 2}
        assert said(
            served.ask("PATCH", f"{APPS}/deployments/web/scale", {"spec": {"replicas": -1}}, Content_Type=MERGE)
        ) == (
            422,
            'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        )
        assert served.ask("DELETE", f"{APPS}/deployments/web/scale").code == 405
        assert served.ask("GET", f"{APPS}/daemonsets/web/scale").code == 404

    def test_binding(self, served):
        served.put(pod(node=""))
        binding = {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "node2"}}
        assert served.ask("POST", f"{SHOP}/pods/web-0/binding", binding).json() == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "code": 201,
        }
        bound = served.ask("GET", f"{SHOP}/pods/web-0").json()
        assert bound["spec"]["nodeName"] == "node2"
        assert [one["type"] for one in bound["status"]["conditions"]] == ["PodScheduled"]
        assert served.ask("POST", f"{SHOP}/pods/web-0/binding", binding).code == 409

    def test_eviction_spends_a_budget(self, served):
        served.put(pod(labels={"app": "web"}))
        budget: dict[str, Any] = {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}},
            "status": {"disruptionsAllowed": 0, "desiredHealthy": 1, "currentHealthy": 1},
        }
        served.put(budget)
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-0"}}
        refused = served.ask("POST", f"{SHOP}/pods/web-0/eviction", eviction)
        assert said(refused) == (429, "Cannot evict pod as it would violate the pod's disruption budget.")
        why = "The disruption budget web needs 1 healthy pods and has 1 currently"
        assert refused.json()["details"]["causes"] == [{"reason": "DisruptionBudget", "message": why}]
        budget["status"]["disruptionsAllowed"] = 1
        served.put(budget)
        assert served.ask("POST", f"{SHOP}/pods/web-0/eviction", eviction).code == 201
        assert served.ask("GET", f"{SHOP}/pods/web-0").json()["metadata"]["deletionTimestamp"]

    def test_ephemeral_containers(self, served):
        served.put(pod())
        debugger = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "toolbox"}], "nodeName": "other"}}
        path = f"{SHOP}/pods/web-0/ephemeralcontainers"
        patch = "application/strategic-merge-patch+json"
        spec = served.ask("PATCH", path, debugger, Content_Type=patch).json()["spec"]
        assert ([one["name"] for one in spec["ephemeralContainers"]], spec["nodeName"]) == (["debug"], "node1")


class TestAccess:
    def test_a_grant_holds_in_its_namespace(self, served):
        served.put(pod())
        assert served.ask("GET", f"{SHOP}/pods/web-0", token=PEER).code == 200
        assert served.ask("GET", "/api/v1/namespaces/kube-system/pods", token=PEER).code == 403
        assert said(served.ask("GET", f"{SHOP}/pods/web-0/log", token=PEER)) == (
            403,
            'pods "web-0" is forbidden: User "peer" cannot get resource "pods/log" in API group "" '
            'in the namespace "shop"',
        )

    def test_discovery_is_for_all_who_are_known(self, served):
        assert served.ask("GET", "/version", token=JANE).code == 200
        assert served.ask("GET", "/version", token=None).code == 200
        assert said(served.ask("GET", "/metrics", token=JANE)) == (
            403,
            'forbidden: User "jane" cannot get path "/metrics"',
        )

    def test_not_everybody_may_be_somebody_else(self, served):
        reply = served.ask("GET", f"{SHOP}/pods", token=JANE, Impersonate_User="peer")
        assert said(reply) == (
            403,
            'users "peer" is forbidden: User "jane" cannot impersonate resource "users" in API group "" '
            "at the cluster scope",
        )
        assert served.ask("GET", f"{SHOP}/pods", Impersonate_User="peer").code == 200
        masters = served.ask("GET", "/api/v1/nodes", Impersonate_User="x", Impersonate_Group="system:masters")
        assert masters.code == 200

    def test_a_denial_binds_even_the_administrator_until_it_is_lifted(self, served):
        review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "shop"}}}
        reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        assert served.ask("POST", "/lab/deny", {"verb": "list", "resource": "pods", "namespace": "shop"}).code == 200
        assert served.ask("GET", f"{SHOP}/pods").code == 403
        assert served.ask("POST", reviews, review).json()["status"] == {"allowed": False}
        assert served.ask("GET", f"{SHOP}/pods/x").code == 404
        assert served.ask("GET", "/api/v1/namespaces/kube-system/pods").code == 200
        served.ask("POST", "/lab/behave")
        assert served.ask("GET", f"{SHOP}/pods").code == 200
        assert served.ask("POST", reviews, review).json()["status"] == {"allowed": True}

    def test_reviews_of_others_and_of_oneself(self, served):
        about = {"user": "peer", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "shop"}}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        assert served.ask("POST", path, {"spec": about}).json()["status"] == {"allowed": True}
        local = "/apis/authorization.k8s.io/v1/namespaces/shop/localsubjectaccessreviews"
        assert served.ask("POST", local, {"spec": {**about, "user": "jane"}}).json()["status"] == {"allowed": False}
        me = served.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, token=JANE).json()
        assert me["status"] == {"userInfo": {"username": "jane", "groups": ["system:authenticated"]}}

    def test_nothing_serves_some_paths_and_verbs(self, served):
        assert served.ask("GET", f"{SHOP}/nonsense").code == 404
        assert served.ask("GET", f"{SHOP}/pods/x/nonsense").code == 404
        assert served.ask("POST", f"{MAPS}/a").code == 405
        assert served.ask("DELETE", "/api/v1/namespaces").code == 405
        assert [served.ask("GET", f"/{one}").body for one in ("healthz", "livez", "readyz")] == [b"ok"] * 3
        assert served.ask("GET", "/readyz?verbose").body.endswith(b"readyz check passed\n")


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
