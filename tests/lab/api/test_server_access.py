"""Who may do what, and what is not served at all."""

from tests.lab.api.objects import MAPS, SHOP, pod, said
from tests.lab.api.served import JANE, PEER


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
