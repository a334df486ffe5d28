"""What kube-proxy writes by the lab's understanding does what it must by ours, in every mode."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from svcdoctor.lab.proxy import ProxyConfig
from tests.lab.proxy.worlds import CONFIG, NODE, RICH, worlds

from .written import checks, rules_of, told

MODES = ("iptables", "nftables", "ipvs")


@pytest.mark.parametrize("mode", MODES)
def test_about_everything_that_a_service_can_say(mode):
    config = structs.replace(CONFIG, mode=mode)
    found = list(checks(*RICH, NODE, rules_of(*RICH, NODE, config)))
    assert [line for one in found for line in told(one)] == []
    assert [why for one in found for why in one.unknown] == []
    assert sum(one.followed for one in found) > 100


configs = st.fixed_dictionaries(
    {},
    optional={
        "masquerade_all": st.booleans(),
        "localhost_node_ports": st.booleans(),
        "node_port_addresses": st.sampled_from(
            [(), ("primary",), ("172.30.0.0/24",), ("127.0.0.0/8", "172.30.0.0/16")]
        ),
        "large_cluster_endpoints": st.sampled_from([0, 1000]),
        "cluster_cidrs": st.sampled_from([("10.244.0.0/16",), ("10.244.1.0/24", "10.244.0.0/16"), ()]),
        "scheduler": st.sampled_from(["rr", "lc", "wrr", "sh"]),
    },
)
detection = st.sampled_from(
    [
        {},
        {"detect_local_mode": "NodeCIDR"},
        {"detect_local_mode": "BridgeInterface", "local_interface": "cni0"},
        {"detect_local_mode": "InterfaceNamePrefix", "local_interface": "veth"},
    ]
)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds(), config=configs, detected=detection)
def test_any_services_under_any_settings(mode, world, config, detected):
    services, slices = world
    made = ProxyConfig(mode=mode, **config, **detected)
    for found in checks(services, slices, NODE, rules_of(services, slices, NODE, made)):
        assert told(found) == []
        assert found.unknown == ()
