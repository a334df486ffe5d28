"""kube-proxy's own metrics, those that tell of its work (pkg/proxy/metrics, Prometheus text format).

Histograms come without their buckets: the sums and counts are what a diagnosis asks for.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from .plan import Plan
from .status import RETRY, SYNC_TAKES

Labels = Mapping[str, str]


class Metric(NamedTuple):
    """One metric and its samples: the suffix of the name, the labels, the value."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[str, Labels, float]]


class Facts(NamedTuple):
    """What the metrics tell."""

    plans: Sequence[Plan]
    services: int
    slices: int
    queued: datetime
    synced: datetime
    at: datetime
    rules: Mapping[tuple[str, str], int]
    """How many iptables rules kube-proxy owns, by family label and table."""

    @property
    def tries(self) -> int:
        """How often it has tried to write the last change, and failed."""
        return 1 + (self.at - self.queued) // RETRY if self.queued > self.synced else 0


def text(facts: Facts) -> str:
    """What GET /metrics on 10249 says, apart from the Go runtime's own metrics."""
    lines: list[str] = []
    for metric in sorted(_metrics(facts), key=lambda metric: metric.name):
        full = f"kubeproxy_{metric.name}"
        lines.append(f"# HELP {full} [ALPHA] {metric.help}")
        lines.append(f"# TYPE {full} {metric.kind}")
        for suffix, labels, value in metric.samples:
            inner = ",".join(f'{name}="{labels[name]}"' for name in sorted(labels))
            lines.append(f"{full}{suffix}{'{' + inner + '}' if inner else ''} {number(value)}")
    return "".join(f"{line}\n" for line in lines)


def number(value: float) -> str:
    """A float as Go prints it shortest (strconv 'g'): with an exponent from 1e+06 on and below 1e-04."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    magnitude = len(digits) + int(exponent) - 1
    if -4 <= magnitude < 6:
        return repr(value)
    fraction = "".join(map(str, digits[1:]))
    mantissa = f"{digits[0]}.{fraction}" if fraction else f"{digits[0]}"
    return f"{'-' if sign else ''}{mantissa}e{'-' if magnitude < 0 else '+'}{abs(magnitude):02d}"


def _metrics(facts: Facts) -> Iterator[Metric]:
    mode = facts.plans[0].config.mode
    yield from _work(facts)
    yield from _changes(facts)
    yield Metric("proxy_healthz_total", "counter", "Cumulative proxy healthz HTTP status", [("", {"code": "200"}, 1)])
    if mode != "ipvs":
        yield from _full_and_partial(facts)
    if facts.tries and mode == "nftables":
        yield _failures(facts, "nftables_sync", "Cumulative proxy nftables sync failures")
    elif facts.tries:
        yield _failures(facts, "iptables_restore", "Cumulative proxy iptables restore failures")
    if mode == "iptables":
        yield from _iptables(facts)


FAMILY = "ip_family"


def _took(facts: Facts) -> float:
    """Seconds that the last sync took that went well."""
    return (SYNC_TAKES if facts.tries else facts.synced - facts.queued).total_seconds()


def _failures(facts: Facts, what: str, meaning: str) -> Metric:
    """Both families are written, and neither gets through. The metric is not there before the first failure."""
    samples = [("", {FAMILY: plan.family.label}, float(facts.tries)) for plan in facts.plans]
    return Metric(f"sync_proxy_rules_{what}_failures_total", "counter", meaning, samples)


def _work(facts: Facts) -> Iterator[Metric]:
    families = [plan.family.label for plan in facts.plans]
    took = _took(facts)
    yield Metric(
        "sync_proxy_rules_duration_seconds", "histogram", "SyncProxyRules latency in seconds", _timed(families, took)
    )
    for name, meaning, moment in (
        ("last_queued_timestamp_seconds", "The last time a sync of proxy rules was queued", facts.queued),
        ("last_timestamp_seconds", "The last time proxy rules were successfully synced", facts.synced),
    ):
        samples = [("", {FAMILY: family}, moment.timestamp()) for family in families]
        yield Metric(f"sync_proxy_rules_{name}", "gauge", meaning, samples)
    yield Metric(
        "sync_proxy_rules_no_local_endpoints_total",
        "gauge",
        "Number of services with a Local traffic policy and no endpoints",
        [
            ("", {FAMILY: plan.family.label, "traffic_policy": traffic}, plan.no_local_endpoints(traffic))
            for plan in facts.plans
            for traffic in ("external", "internal")
        ],
    )
    yield Metric(
        "conntrack_reconciler_deleted_entries_total",
        "counter",
        "Cumulative conntrack flows deleted by conntrack reconciler",
        [("", {FAMILY: "IPv4"}, 0)],
    )
    yield Metric(
        "conntrack_reconciler_sync_duration_seconds",
        "histogram",
        "ReconcileConntrackFlowsLatency latency in seconds",
        _timed(["IPv4"], 0.0157),
    )


def _timed(families: Sequence[str], seconds: float) -> list[tuple[str, Labels, float]]:
    """The samples of a histogram in which one thing was measured in each family."""
    samples: list[tuple[str, Labels, float]] = []
    for family in families:
        samples += [("_sum", {FAMILY: family}, seconds), ("_count", {FAMILY: family}, 1)]
    return samples


def _changes(facts: Facts) -> Iterator[Metric]:
    for name, what, total in (("endpoint", "Endpoint", facts.slices), ("service", "Service", facts.services)):
        start = f"sync_proxy_rules_{name}_changes"
        yield Metric(f"{start}_pending", "gauge", f"Pending proxy rules {what} changes", [("", {}, 0)])
        yield Metric(f"{start}_total", "counter", f"Cumulative proxy rules {what} changes", [("", {}, total)])


def _full_and_partial(facts: Facts) -> Iterator[Metric]:
    took = _took(facts)
    families = [plan.family.label for plan in facts.plans]
    for kind, samples in (("full", _timed(families, took)), ("partial", _timed(["IPv4"], took / 3))):
        name = f"sync_{kind}_proxy_rules_duration_seconds"
        yield Metric(name, "histogram", f"SyncProxyRules latency in seconds for {kind} resyncs", samples)
    yield Metric(
        "network_programming_duration_seconds",
        "histogram",
        "In Cluster Network Programming Latency in seconds",
        _timed(["IPv4"], took),
    )


def _iptables(facts: Facts) -> Iterator[Metric]:
    samples = [
        ("", {FAMILY: family, "table": table}, float(count)) for (family, table), count in sorted(facts.rules.items())
    ]
    for name, meaning in (
        ("last", "Number of iptables rules written by kube-proxy in last sync"),
        ("total", "Total number of iptables rules owned by kube-proxy"),
    ):
        yield Metric(f"sync_proxy_rules_iptables_{name}", "gauge", meaning, samples)
    for name, meaning in (
        ("ct_state_invalid_dropped_packets", "packets dropped by iptables to work around conntrack problems"),
        ("localhost_nodeports_accepted_packets", "Number of packets accepted on nodeports of loopback interface"),
    ):
        yield Metric(f"iptables_{name}_total", "counter", meaning, [("", {}, 0)])
