"""What real answers give away."""

from svcdoctor.model.diagnosis import Severity, Verdict
from tests.build import COREFILE, container
from tests.steps.dns.shop import Shop, root
from tests.steps.judging import blamed, names, well

# ------------------------------------------------------------------------------------------------------- real answers


def test_the_virtual_address_is_dead():
    made = Shop()
    made.saw(error="timeout", ms=5000.0)
    made.saw(error="timeout", transport="TCP", ms=5000.0)
    made.said(made.web["spec"]["clusterIP"])
    blamed(made.judge(), "dns-vip-dead")


def test_nobody_listens_anywhere():
    made = Shop()
    for transport in ("UDP", "TCP"):
        made.saw(error="refused", transport=transport)
    made.said(error="refused")
    blamed(made.judge(), "dns-down")


def test_questions_get_lost():
    made = Shop()
    for transport in ("UDP", "TCP"):
        made.saw(error="timeout", transport=transport, ms=5000.0)
    for pod in made.servers:
        made.saw(error="timeout", server=pod["status"]["podIP"], ms=5000.0)
    blamed(made.judge(), "dns-unreachable")


def test_udp_is_lost_and_tcp_passes():
    made = Shop()
    made.saw(error="timeout", ms=5000.0)
    made.saw(made.web["spec"]["clusterIP"], transport="TCP")
    blamed(made.judge(), "dns-unreachable")


def test_truncated_and_tcp_is_shut():
    made = Shop()
    made.saw(flags=("qr", "tc"))
    made.saw(error="timeout", transport="TCP", ms=5000.0)
    blamed(made.judge(), "dns-tcp-blocked")


def test_truncated_and_fetched_over_tcp():
    made = Shop()
    made.saw(flags=("qr", "tc"))
    made.saw(made.web["spec"]["clusterIP"], transport="TCP")
    well(made.judge())


def test_a_large_answer_and_no_tcp_port():
    made = Shop(clusterIP="None")
    made.deployment("more", {"app": "web"}, container("app", "http:8080"), replicas=40)
    made.dns["spec"]["ports"] = [port for port in made.dns["spec"]["ports"] if port["protocol"] == "UDP"]
    blamed(made.judge(None), "dns-tcp-blocked", Verdict.DEGRADED)


def test_five_seconds():
    made = Shop()
    made.saw(made.web["spec"]["clusterIP"], ms=5003.0)
    made.saw(type="AAAA", ms=5003.0)
    made.said(made.web["spec"]["clusterIP"])
    root(made.judge(), "dns-5s-race")


def test_aaaa_is_late():
    made = Shop()
    made.saw(made.web["spec"]["clusterIP"], ms=2.0)
    made.saw(type="AAAA", ms=3400.0)
    root(made.judge(), "dns-slow")


def test_everything_is_late():
    made = Shop()
    made.said(made.web["spec"]["clusterIP"], ms=2100.0)
    root(made.judge(), "dns-slow")


def test_the_servers_have_not_read_the_api():
    made = Shop()
    made.saw(rcode="SERVFAIL")
    made.said(rcode="SERVFAIL")
    blamed(made.judge(), "dns-down")


def test_a_stranger_answers():
    made = Shop()
    made.saw(rcode="NXDOMAIN")
    made.saw(rcode="NXDOMAIN", name="dns-version.cluster.local.", type="TXT")
    blamed(made.judge(), "wrong-nameserver")


def test_a_no_that_is_older_than_the_service():
    made = Shop(created=40)
    made.saw(rcode="NXDOMAIN")
    diagnosis = made.judge()
    assert (diagnosis.root, diagnosis.verdict) == ("negative-cache", Verdict.DEGRADED)


def test_a_service_that_is_seconds_old():
    root(Shop(created=5).judge(None), "negative-cache")
    well(Shop(created=31).judge(None))


def test_a_service_that_is_seconds_old_without_a_cache():
    made = Shop(created=5)
    made.corefile(COREFILE.replace("    cache 30\n", ""))
    well(made.judge(None))


def test_the_client_holds_an_old_address():
    made = Shop()
    made.saw(made.web["spec"]["clusterIP"])
    made.said(made.web["spec"]["clusterIP"])
    made.resolved("10.98.3.3")
    diagnosis = made.judge()
    assert diagnosis.root == "client-dns-cache"
    assert names(diagnosis, Severity.ERROR) == []


def test_addresses_that_nobody_ready_has():
    made = Shop(clusterIP="None")
    made.saw("10.244.9.9")
    made.said("10.244.9.9")
    blamed(made.judge(), "headless-set-drift")


def test_an_address_is_missing():
    made = Shop(clusterIP="None")
    first = next(pod for pod in made.objects["pods"] if pod["metadata"]["labels"].get("app") == "web")
    made.saw(first["status"]["podIP"])
    blamed(made.judge(), "headless-set-drift", Verdict.DEGRADED)


def test_another_address_for_a_cluster_ip():
    made = Shop()
    made.saw("203.0.113.9")
    finding = blamed(made.judge(), "corefile-override")
    assert finding.confidence == "possible"
