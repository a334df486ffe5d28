"""kube-system's images: CoreDNS and kube-proxy, as far as a kubelet and a scraper see them."""

from .program import Answer, Line, Program, Socket
from .registry import Launch

_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_COREDNS_METRICS = """\
# HELP coredns_build_info A metric with a constant '1' value labeled by version, revision, and goversion from which \
CoreDNS was built.
# TYPE coredns_build_info gauge
coredns_build_info{goversion="go1.25.5",revision="1abcdef",version="1.14.2"} 1
# HELP coredns_panics_total A metrics that counts the number of panics.
# TYPE coredns_panics_total counter
coredns_panics_total 0
"""


def coredns(launch: Launch) -> Program:
    """Names on 53, health on 8080, readiness on 8181, metrics on 9153."""
    ok = Answer(200, "OK")
    return Program(
        sockets=(
            *(Socket(53, protocol, speaks=protocol.lower()) for protocol in ("UDP", "TCP")),
            *(Socket(number) for number in (8080, 8181, 9153)),
        ),
        answers={"/health": ok, "/ready": ok, "/metrics": Answer(200, _COREDNS_METRICS, content_type=_METRICS)},
        starts_after=0.3,
        lines=(Line(0.3, ".:53"), Line(0.3, "CoreDNS-1.14.2"), Line(0.3, "linux/amd64, go1.25.5, 1abcdef")),
        stops_after=5.0,  # health's lameduck
    )


def kube_proxy(launch: Launch) -> Program:
    """Health on 10256 everywhere, metrics on 10249 of the loopback."""
    return Program(
        sockets=(Socket(10256), Socket(10249, address="127.0.0.1")),
        answers={"/healthz": Answer(200, content_type="application/json"), "/livez": Answer(200)},
        starts_after=0.5,
        lines=tuple(line for name in _CACHES for line in _synced(name)),
        stop_code=2,
    )


_CACHES = ("node", "serviceCIDR", "service", "endpoint slice")


def _synced(name: str) -> tuple[Line, Line]:
    source, controller = "shared_informer.go", f'controller="{name} config"'
    return (
        Line(0.5, f'"Waiting for caches to sync" {controller}', f"{source}:381"),
        Line(0.6, f'"Caches are synced" {controller}', f"{source}:388"),
    )
