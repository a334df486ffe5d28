"""Whatever was read or observed, the step answers: no error leaves it, and what is well is called so."""

from hypothesis import given, settings
from hypothesis import strategies as st

from svcdoctor.model.diagnosis import Status
from svcdoctor.steps.dns.trace import trace
from tests.build import CLUSTER_DNS, COREFILE, SYSTEM
from tests.steps.dns.shop import WEB, Shop, status

NAMES = st.sampled_from(
    [WEB, "web", "dns-version.cluster.local.", "db.example.com.", "web.corp.example.", "", "..", "x" * 300]
)
DATA = st.lists(
    st.sampled_from(["10.98.1.1", "203.0.113.9", "fd00::1", "db.example.com.", '"1.1.0"', "", "no address"]), max_size=3
)
MORE = st.fixed_dictionaries(
    {
        "server": st.sampled_from([CLUSTER_DNS, "10.244.1.2", "169.254.20.10", "", "elsewhere"]),
        "transport": st.sampled_from(["UDP", "TCP", "LIBC", "DOH"]),
        "type": st.sampled_from(["A", "AAAA", "SRV", "TXT", "CNAME", "ANY", "", "TYPE65"]),
        "rcode": st.sampled_from(["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "", "BADVERS"]),
        "error": st.sampled_from(["", "", "", "timeout", "refused", "unreachable", "what?"]),
        "flags": st.sampled_from([(), ("qr", "aa"), ("tc",)]),
        "ms": st.floats(0, 20_000),
        "path": st.sampled_from(["", f"port-forward {SYSTEM}/coredns"]),
    }
)
OBSERVED = st.lists(st.tuples(DATA, NAMES, MORE), max_size=6)
COREFILES = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(COREFILE.splitlines(keepends=True)), max_size=30).map("".join),
    st.just(COREFILE),
)
CONF = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(["nameserver 10.98.0.10", "search a b", "options ndots:9"])).map("\n".join),
)
LOGS = st.one_of(st.text(max_size=80), st.just("Loop (a -> b) detected"), st.just("endpointslices is forbidden"))
SERVICES = st.sampled_from(
    [
        {},
        {"clusterIP": "None"},
        {"clusterIP": "None", "publishNotReadyAddresses": True},
        {"type": "ExternalName", "externalName": "db.example.com"},
        {"type": "ExternalName", "externalName": "web.shop.svc.cluster.local"},
        {"type": "ExternalName", "externalName": ""},
        {"clusterIP": "", "clusterIPs": []},
    ]
)


@settings(max_examples=150)
@given(
    service=SERVICES,
    observed=OBSERVED,
    corefile=COREFILES,
    conf=CONF,
    log=LOGS,
    policy=st.sampled_from(["ClusterFirst", "Default", "None", ""]),
)
def test_anything_is_answered(service, observed, corefile, conf, log, policy):
    made = Shop(**service)
    made.corefile(corefile)
    made.resolv_conf = conf
    made.log(log)
    made.client["spec"]["dnsPolicy"] = policy
    for data, name, more in observed:
        made.saw(*data, name=name, **more)
    for client in ("client", None, "nobody"):
        assert status(made.judge(client)) in Status


@settings(max_examples=50)
@given(conf=CONF, corefile=COREFILES)
def test_any_way_can_be_shown(conf, corefile):
    from svcdoctor.model.case import Case
    from svcdoctor.model.diagnosis import Target

    made = Shop()
    made.corefile(corefile)
    found = trace(Case(made.snapshot(), Target("shop", "web")))
    assert found is not None
    assert found.records
