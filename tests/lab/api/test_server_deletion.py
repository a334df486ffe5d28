"""DELETE over HTTP, and the parts of objects that have paths of their own."""

from typing import Any

import pytest

from tests.lab.api.objects import APPS, MAPS, MERGE, SHOP, config_map, names, pod, said


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
        assert bound["metadata"]["generation"] == 1
        assert [one["type"] for one in bound["status"]["conditions"]] == ["PodScheduled"]
        assert served.ask("POST", f"{SHOP}/pods/web-0/binding", binding).code == 409

    def test_the_first_mark_of_an_end_counts_as_a_change(self, served):
        served.put(pod())
        path = f"{SHOP}/pods/web-0"
        counted = [served.ask("DELETE", f"{path}?gracePeriodSeconds={grace}").json() for grace in (20, 5)]
        assert [each["metadata"]["generation"] for each in counted] == [2, 2]
        assert counted[1]["metadata"]["deletionGracePeriodSeconds"] == 5

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
