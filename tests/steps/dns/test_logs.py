"""CoreDNS's logs: what a few lines prove."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.steps.dns.logs import PATTERNS, signs

LINES = {
    "loop": (
        '[FATAL] plugin/loop: Loop (127.0.0.1:38179 -> :53) detected for zone ".", see '
        'https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO 5109543.2893."',
        "127.0.0.1:38179 -> :53",
    ),
    "forbidden": (
        "E0101 00:00:00.000000 1 reflector.go:1] Failed to watch *v1.EndpointSlice: failed to list *v1.EndpointSlice: "
        'endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:kube-system:coredns" cannot list '
        'resource "endpointslices" in API group "discovery.k8s.io" at the cluster scope',
        "endpointslices",
    ),
    "upstream-timeout": (
        "[ERROR] plugin/errors: 2 api.example.com. A: read udp 10.244.0.4:40932->10.0.0.2:53: i/o timeout",
        "api.example.com.",
    ),
    "not-ready": ('[INFO] plugin/ready: Plugins not ready: "kubernetes"', "kubernetes"),
    "unsynced": ("[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API", ""),
    "too-many-queries": (
        "[ERROR] plugin/errors: 2 api.example.com. A: concurrent queries exceeded maximum 1000",
        "1000",
    ),
    "bad-corefile": (
        "[ERROR] Restart failed: Corefile:5 - Error during parsing: Unknown directive 'kubernets'",
        "Unknown directive 'kubernets'",
    ),
    "panic": (
        '[ERROR] Recovered from panic in server: "dns://:53" runtime error',
        'in server: "dns://:53" runtime error',
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_each_pattern(name: str):
    line, detail = LINES[name]
    (sign,) = signs(f"[INFO] plugin/reload: Running configuration SHA512 = 1\n{line}\n{line}\n")
    assert (sign.pattern, sign.line, sign.times, sign.first) == (name, line, 2, detail)
    assert sign.proves


def test_every_pattern_has_a_line():
    assert tuple(LINES) == tuple(pattern.name for pattern in PATTERNS)


def test_older_wording():
    (sign,) = signs('[INFO] plugin/ready: Still waiting on: "kubernetes"')
    assert (sign.pattern, sign.first) == ("not-ready", "kubernetes")


def test_details_are_gathered():
    text = "\n".join(f"[ERROR] plugin/errors: 2 {n}.example. A: read udp 1->2: i/o timeout" for n in "abca")
    (sign,) = signs(text)
    assert (sign.times, sign.details) == (4, ("a.example.", "b.example.", "c.example."))


def test_a_healthy_log():
    text = ".:53\n[INFO] plugin/reload: Running configuration SHA512 = abc\nCoreDNS-1.13.1\nlinux/amd64, go1.25\n"
    assert signs(text) == ()


@given(st.lists(st.sampled_from([line for line, _ in LINES.values()]) | st.text(max_size=40)).map("\n".join))
def test_any_log(text: str):
    signs(text)
