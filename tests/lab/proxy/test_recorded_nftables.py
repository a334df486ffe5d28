"""nftables mode against every recorded node: the same objects, handles apart, for the Services that are recorded."""

import json

import pytest

from .dumps import STALE, nodes, recorded, services, slices, written

FILES = ("nft-ip-kube-proxy.json", "nft-ip6-kube-proxy.json")
SERVICE_CHAINS = ("service-", "local-", "external-", "firewall-", "endpoint-", "affinity-")
STATIC = ("service-endpoints-check",)


def listed(text):
    """The objects without handles: (kind, fields)."""
    objects = [next(iter(one.items())) for one in json.loads(text)["nftables"]]
    return [(kind, {name: value for name, value in fields.items() if name != "handle"}) for kind, fields in objects]


def of_service(kind, fields):
    name = fields.get("chain" if kind == "rule" else "name", "")
    return name.startswith(SERVICE_CHAINS) and name not in STATIC


def known_names(key):
    names = {f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in services(key)}
    return names - {"stale/orders"} if key in STALE else names


def belongs(text, names):
    """Whether the JSON of an object names one of the Services."""
    return any(f"{name}/tcp" in text or f"{name}/udp" in text or f'"{name}:' in text for name in names)


def elements(text):
    return {
        fields["name"]: [json.dumps(element) for element in fields.get("elem", [])]
        for kind, fields in listed(text)
        if kind in ("set", "map")
    }


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("key", nodes("nftables"))
def test_what_is_no_service_is_equal_object_by_object(key, file):
    real, ours = (
        [
            (kind, {name: value for name, value in fields.items() if name != "elem"})
            for kind, fields in listed(texts[file])
            if not of_service(kind, fields)
        ]
        for texts in (recorded()[key], written(key))
    )
    assert ours == real


@pytest.mark.parametrize("key", nodes("nftables"))
def test_chains_of_services_are_equal_in_names_rules_and_order(key):
    names = known_names(key)
    real, ours = (
        [
            json.dumps([kind, fields])
            for kind, fields in listed(texts[FILES[0]])
            if of_service(kind, fields)
            and belongs(fields.get("chain", fields["name"] if kind == "chain" else ""), names)
        ]
        for texts in (recorded()[key], written(key))
    )
    assert sorted(ours) == sorted(real)
    for chain in {json.loads(one)[1].get("chain") for one in ours} - {None}:
        assert [one for one in ours if f'"chain": "{chain}"' in one] == [
            one for one in real if f'"chain": "{chain}"' in one
        ]


@pytest.mark.parametrize("key", nodes("nftables"))
def test_elements_are_equal_and_in_nft_s_order(key):
    names = known_names(key)
    real, ours = elements(recorded()[key][FILES[0]]), elements(written(key)[FILES[0]])
    assert real.keys() == ours.keys()
    skip = [f'"{ip}"' for ip in pod_addresses(key)] if key in STALE else []
    for name, written_elements in ours.items():
        mine = [element for element in written_elements if not any(ip in element for ip in skip)]
        assert mine == [element for element in real[name] if element in mine]
    for name in ("service-ips", "service-nodeports", "no-endpoint-services", "no-endpoint-nodeports"):
        assert [one for one in real[name] if belongs(one, names)] == [one for one in ours[name] if belongs(one, names)]


def pod_addresses(key):
    """Addresses of the pods behind the Service that the node's kube-proxy lost sight of."""
    mine = [one for one in slices(key) if one["metadata"]["labels"]["kubernetes.io/service-name"] == "orders"]
    return {endpoint["addresses"][0] for one in mine for endpoint in one["endpoints"] or ()}


@pytest.mark.parametrize("key", nodes("nftables"))
def test_every_recorded_service_is_there(key):
    ours = elements(written(key)[FILES[0]])
    addresses = {one["spec"]["clusterIP"] for one in services(key) if one["spec"].get("clusterIP", "None") != "None"}
    assert {json.loads(element) for element in ours["cluster-ips"]} == addresses


@pytest.mark.parametrize("key", sorted(key for key in STALE if key.startswith("nftables")))
def test_a_proxy_that_stood_still_differs_in_the_service_that_changed(key):
    real, ours = (
        [fields for kind, fields in listed(texts[FILES[0]]) if kind == "rule" and "stale/orders" in fields["chain"]]
        for texts in (recorded()[key], written(key))
    )
    assert ours != real
