"""The real iptables, nft and ipset take what the lab writes, and print it back unchanged.

In a network namespace of its own, so it needs root and the tools; elsewhere these tests are skipped.
"""

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from svcdoctor.lab.proxy import command, node_files

from .worlds import CONFIG, NODE, RICH, worlds

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TOOLS = ("unshare", "iptables", "iptables-restore", "ip6tables-restore", "nft", "ipset")
COUNTED = "ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"


def in_namespace(script, files):
    """The output of a shell script in a fresh network namespace; ``files`` are its environment."""
    environment = {**os.environ, **files}
    return subprocess.run(
        ["unshare", "-n", "sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def missing():
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if absent:
        return f"not installed: {', '.join(absent)}"
    for tool, version in (("nft", "v1.0.6"), ("iptables", "v1.8.9 (nf_tables)")):
        told = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout
        if version not in told:
            return f"another version prints otherwise: {told.strip()}"
    if in_namespace("iptables -A INPUT -m comment --comment x -j DROP", {}).returncode:
        return "no network namespace may be made here"
    return ""


pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=reason or "everything is there")


def has_nfacct():
    made = " && ".join(f"nfacct add {name}" for name in COUNTED)
    return bool(shutil.which("nfacct")) and in_namespace(made, {}).returncode == 0


def config(mode, **more):
    return replace(CONFIG, mode=mode, nfacct=has_nfacct(), **more)


def without_dates(text):
    return re.sub(r" on \w{3} \w{3} .*", "", text)


def reprinted(files):
    """What iptables-save and ip6tables-save say once they took the texts."""
    counters = "".join(f"nfacct add {name};" for name in COUNTED) if has_nfacct() else ""
    texts = {"V4": files["iptables-save.txt"], "V6": files["ip6tables-save.txt"], "SETS": files.get("ipset.txt", "")}
    restore = (
        'printf %s "$SETS" | ipset restore && printf %s "$V4" | iptables-restore && printf %s "$V6" | ip6tables-restore'
    )
    ran = in_namespace(f"{counters} {restore} && iptables-save -c && echo === && ip6tables-save -c", texts)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split("===\n")


VARIANTS: dict[str, Any] = {
    "as-usual": {},
    "masquerade-all": {"masquerade_all": True, "masquerade_bit": 15},
    "no-detector": {"cluster_cidrs": ()},
    "bridge": {"detect_local_mode": "BridgeInterface", "local_interface": "cni0"},
    "prefix": {"detect_local_mode": "InterfaceNamePrefix", "local_interface": "veth"},
    "node-ports-somewhere": {"node_port_addresses": ("172.30.0.0/16", "127.0.0.0/8", "fd00:172:30::/64")},
    "no-localhost": {"localhost_node_ports": False, "tcp_be_liberal": True},
    "large": {"large_cluster_endpoints": 3},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_iptables_prints_back_the_same_bytes(variant):
    files = node_files(*RICH, NODE, config("iptables", **VARIANTS[variant]), AT)
    for text, file in zip(reprinted(files), ("iptables-save.txt", "ip6tables-save.txt"), strict=True):
        assert without_dates(text) == without_dates(files[file])


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(worlds())
def test_iptables_takes_any_world(world):
    services, slices = world
    files = node_files(services, slices, NODE, config("iptables"), AT)
    assert without_dates(reprinted(files)[0]) == without_dates(files["iptables-save.txt"])


@pytest.mark.parametrize("variant", ["as-usual", "masquerade-all", "no-detector", "node-ports-somewhere"])
def test_ipvs_rules_and_sets_are_taken(variant):
    """All but the rules that match on ipvs itself, which this kernel may not have."""
    files = node_files(*RICH, NODE, config("ipvs", **VARIANTS[variant]), AT)
    for file in ("iptables-save.txt", "ip6tables-save.txt"):
        files[file] = "".join(line for line in files[file].splitlines(keepends=True) if "-m ipvs" not in line)
    for text, file in zip(reprinted(files), ("iptables-save.txt", "ip6tables-save.txt"), strict=True):
        assert without_dates(text) == without_dates(files[file])


def loadable(text):
    """A listing as nft takes it: chains before the maps that name them, elements and rules last."""
    first, sets, rules, elements = [], [], [], []
    for one in json.loads(text)["nftables"]:
        kind, fields = next(iter(one.items()))
        if kind == "rule":
            rules.append(one)
        elif kind in ("set", "map"):
            members = fields.pop("elem", None)
            sets.append(one)
            place = {name: fields[name] for name in ("family", "table", "name")}
            elements += [{"element": {**place, "elem": members}}] if members else []
        elif kind != "metainfo":
            first.append(one)
    return json.dumps({"nftables": [{"add": one} for one in (*first, *sets, *rules, *elements)]})


def objects(text):
    """The objects of a listing by kind and name, without handles, and without the comments of sets, which nft's JSON
    reader drops."""
    found = []
    for one in json.loads(text)["nftables"]:
        kind, fields = next(iter(one.items()))
        dropped = {"handle", "comment"} if kind in ("set", "map") else {"handle"}
        found.append((kind, {name: value for name, value in fields.items() if name not in dropped}))
    order = ["metainfo", "table", "set", "map", "chain", "rule"]
    return sorted(found, key=lambda one: (order.index(one[0]), one[1].get("name", "")))


def nft_reprinted(files):
    """What nft lists once it took both tables."""
    texts = {family: loadable(files[f"nft-{family.lower()}-kube-proxy.json"]) for family in ("IP", "IP6")}
    load = " && ".join(f'printf %s "${family}" | nft -j -f -' for family in texts)
    lists = " && echo === && ".join(f"nft -j list table {family.lower()} kube-proxy" for family in texts)
    ran = in_namespace(f"{load} && {lists}", texts)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split("===\n")


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in ("large", "no-localhost")])
def test_nft_lists_the_same_objects(variant):
    files = node_files(*RICH, NODE, config("nftables", **VARIANTS[variant]), AT)
    for text, family in zip(nft_reprinted(files), ("ip", "ip6"), strict=True):
        assert objects(text) == objects(files[f"nft-{family}-kube-proxy.json"])


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(worlds())
def test_nft_takes_any_world(world):
    services, slices = world
    files = node_files(services, slices, NODE, config("nftables"), AT)
    assert objects(nft_reprinted(files)[0]) == objects(files["nft-ip-kube-proxy.json"])


def test_nft_shows_iptables_tables_as_it_does_for_real():
    files = node_files(*RICH, NODE, config("iptables"), AT)
    counters = "".join(f"nfacct add {name};" for name in COUNTED) if has_nfacct() else ""
    script = f'{counters} printf %s "$V4" | iptables-restore -c && nft -j list ruleset'
    ran = in_namespace(script, {"V4": files["iptables-save.txt"]})
    ours = command({"iptables-save.txt": files["iptables-save.txt"]}, ["nft", "-j", "list", "ruleset"])
    assert ours is not None
    assert sorted(map(str, objects(ran.stdout))) == sorted(map(str, objects(ours[1])))
