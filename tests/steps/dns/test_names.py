"""Names outside of the cluster, and the records of a Service's kind."""

import pytest

from svcdoctor.model.diagnosis import Severity, Verdict
from tests.build import SYSTEM, container
from tests.states import crash_loop
from tests.steps.dns.shop import WEB, Shop, reason, root
from tests.steps.judging import blamed, explain, names, well

# ------------------------------------------------------------------------------------------------------------ outside


TIMEOUT = "[ERROR] plugin/errors: 2 api{n}.example.com. A: read udp 10.244.1.2:40000->172.30.0.1:53: i/o timeout"


def test_upstreams_are_silent():
    made = Shop()
    made.log(*(TIMEOUT.format(n=n) for n in range(5)))
    root(made.judge(None), "upstream-dead")


def test_one_question_upstream_was_lost():
    made = Shop()
    made.log(TIMEOUT.format(n=1))
    well(made.judge(None))


def external(target: str) -> Shop:
    made = Shop()
    made.objects["services"].remove(made.web)
    made.service("web", None, type="ExternalName", externalName=target)
    return made


@pytest.mark.parametrize("target", ["db.shop.svc.cluster.local", "db", "db.nowhere.invalid", "web.other"])
def test_an_alias_of_nothing(target):
    made = external(target)
    if target == "web.other":
        made.service("web", None, "80", namespace="other")
        assert (
            blamed(made.judge(None), "externalname-dangling").fix.text
            == "Set externalName to web.other.svc.cluster.local."
        )
        return
    blamed(made.judge(None), "externalname-dangling")


def test_an_alias_that_nobody_followed():
    diagnosis = external("db.example.com").judge(None)
    well(diagnosis)
    assert reason(diagnosis).endswith("is an alias of db.example.com; whether that resolves was not asked")


def test_an_alias_that_was_seen_to_lead_somewhere():
    made = external("db.example.com")
    made.saw("db.example.com.", "203.0.113.5")
    diagnosis = made.judge()
    well(diagnosis)
    assert reason(diagnosis).endswith("is an alias of db.example.com")


def test_an_alias_that_was_seen_to_lead_nowhere():
    made = external("db.example.com")
    made.saw("db.example.com.")
    blamed(made.judge(), "externalname-dangling")


def test_an_alias_whose_target_nobody_can_look_up():
    made = external("db.example.com")
    made.saw(rcode="SERVFAIL")
    made.saw(rcode="SERVFAIL", name="db.example.com.")
    blamed(made.judge(), "upstream-dead")


def query(name: str, type: str = "A", rcode: str = "NOERROR", seconds: float = 0.0001) -> str:
    return f'[INFO] 10.244.1.7:36124 - 5321 "{type} IN {name} udp 52 false 512" {rcode} qr,aa,rd 94 {seconds:.9f}s'


def searches(name: str) -> list[str]:
    domains = ("shop.svc.cluster.local.", "svc.cluster.local.", "cluster.local.")
    vain = [query(f"{name}.{domain}", kind, "NXDOMAIN") for domain in domains for kind in ("A", "AAAA")]
    return [*vain, query(f"{name}.")]


def test_names_outside_are_searched_for_inside():
    made = Shop()
    made.log(*searches("api.example.com"), *searches("www.example.org"))
    root(made.judge(None), "ndots-latency")


def test_a_few_searches_are_no_news():
    made = Shop()
    made.log(*searches("api.example.com"), *([query(WEB)] * 40))
    well(made.judge(None))


def test_the_log_tells_of_slow_answers():
    made = Shop()
    made.log(query(WEB, seconds=2.5))
    root(made.judge(None), "dns-slow")


# ------------------------------------------------------------------------------------------------------------ records


def test_a_headless_name_without_ready_endpoints_follows_from_their_readiness():
    made = Shop(clusterIP="None")
    for pod in made.objects["pods"]:
        if pod["metadata"]["labels"].get("app") == "web":
            crash_loop()(made, pod)
    diagnosis = made.judge(None)
    assert diagnosis.root == "crash-loop"
    assert names(diagnosis, Severity.ERROR) == ["crash-loop"]
    assert "headless-none-ready" in names(diagnosis, Severity.ADVICE)


def stateful(made: Shop, service_name: str) -> None:
    made.objects["deployments"].clear()
    made.objects["replicasets"] = []
    made.objects["pods"] = [p for p in made.objects["pods"] if p["metadata"]["labels"].get("app") != "web"]
    made.workload("StatefulSet", "web", {"app": "web"}, container("app", "http:8080"), replicas=2)
    made.objects["statefulsets"][0]["spec"]["serviceName"] = service_name


@pytest.mark.parametrize(("service_name", "sick"), [("web", False), ("web-peers", True), ("", False)])
def test_a_stateful_set_behind_a_headless_service(service_name, sick):
    made = Shop(clusterIP="None")
    stateful(made, service_name)
    diagnosis = made.judge(None)
    if not sick:
        well(diagnosis)
        return
    assert (diagnosis.root, diagnosis.verdict) == ("sts-servicename", Verdict.DEGRADED), explain(diagnosis)


def test_a_stateful_set_whose_service_has_an_address():
    made = Shop()
    stateful(made, "web")
    root(made.judge(None), "sts-servicename")


def test_a_stateful_set_with_a_headless_service_beside():
    made = Shop()
    stateful(made, "web-peers")
    made.service("web-peers", {"app": "web"}, "http 8080>8080", clusterIP="None")
    well(made.judge(None))


def test_an_srv_record_of_a_port_without_a_name():
    made = Shop()
    made.web["spec"]["ports"][0].pop("name")
    made.objects["endpointslices"] = [s for s in made.objects["endpointslices"] if s["metadata"]["namespace"] == SYSTEM]
    made.log(query(f"_http._tcp.{WEB}", "SRV", "NXDOMAIN"))
    diagnosis = made.judge(None)
    assert (diagnosis.root, names(diagnosis, Severity.ERROR)) == ("srv-missing", [])


def test_an_srv_record_that_is_there():
    made = Shop()
    made.log(query(f"_http._tcp.{WEB}", "SRV"), query("_grpc._tcp.other.shop.svc.cluster.local.", "SRV", "NXDOMAIN"))
    well(made.judge(None))
