"""Writes over HTTP: what is stored, and what is refused."""

import pytest

from tests.lab.api.objects import MAPS, MERGE, SHOP, config_map, names, pod, said
from tests.lab.api.served import namespace


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
