"""What kube-proxy and the kubelet tell of themselves over HTTP, apart from metrics."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from .family import FAMILIES
from .settings import NodeView, ProxyConfig

Json = dict[str, Any]
SYNC_TAKES = timedelta(milliseconds=380)
"""From a change's being queued to its rules' being in the kernel."""
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
NEVER = "0s"


def last_change(objects: Iterable[Json], at: datetime) -> datetime:
    """When the newest of the objects came or changed, as far as they tell; ``at`` where none does."""
    newest: datetime | None = None
    for one in objects:
        metadata = one.get("metadata") or {}
        stamps = (metadata.get("creationTimestamp"), (metadata.get("annotations") or {}).get(TRIGGER_TIME))
        for stamp in stamps:
            moment = _moment(stamp)
            if moment is not None and moment <= at and (newest is None or moment > newest):
                newest = moment
    return newest or at


def _moment(stamp: Any) -> datetime | None:
    """The moment of an RFC 3339 stamp, None for anything else."""
    try:
        moment = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def rfc3339(moment: datetime) -> str:
    """A Go time.Time in JSON: UTC, trailing zeros of the fraction cut."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return f"{text}Z"


RETRY = timedelta(seconds=30)
"""syncPeriod: when a sync that failed is tried again."""
PATIENCE = 2 * RETRY
"""How long a change may wait to be written before the proxy calls itself ill (pkg/proxy/healthcheck)."""


def healthz(synced: datetime, at: datetime, waiting: datetime | None = None) -> str:
    """/healthz on 10256 (1.33 and later) of a proxy that keeps up: ``lastUpdated`` is then always now. A change that is
    ``waiting`` since too long makes it ill: it then tells when it last wrote its rules."""
    healthy = waiting is None or at - waiting <= PATIENCE
    families = {family.label: {"lastUpdated": rfc3339(synced), "healthy": healthy} for family in FAMILIES}
    now = rfc3339(at)
    updated = now if healthy else rfc3339(synced)
    return _compact(
        {"lastUpdated": updated, "currentTime": now, "nodeEligible": True, "healthy": healthy, "status": families}
    )


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def configz(node: NodeView, config: ProxyConfig) -> str:
    """/configz on 10249: the v1alpha1 configuration with its defaults filled in."""
    masquerade = {"masqueradeBit": config.masquerade_bit, "masqueradeAll": config.masquerade_all}
    periods = {mode: _periods(config, mode) for mode in ("iptables", "ipvs", "nftables")}
    document = {
        "kind": "KubeProxyConfiguration",
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "clientConnection": {
            "kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf",
            "acceptContentTypes": "",
            "contentType": "application/vnd.kubernetes.protobuf",
            "qps": 5,
            "burst": 10,
        },
        "logging": _logging(0),
        "hostnameOverride": node.name,
        "bindAddress": "0.0.0.0",
        "healthzBindAddress": "0.0.0.0:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "bindAddressHardFail": False,
        "enableProfiling": False,
        "showHiddenMetricsForVersion": "",
        "mode": config.mode,
        "iptables": {**masquerade, "localhostNodePorts": config.localhost_node_ports, **periods["iptables"]},
        "ipvs": _ipvs(config, periods["ipvs"]),
        "nftables": {**masquerade, **periods["nftables"]},
        "winkernel": {
            "networkName": "",
            "sourceVip": "",
            "enableDSR": False,
            "rootHnsEndpointName": "",
            "forwardHealthCheckVip": False,
        },
        **_detection(config),
        "nodePortAddresses": _node_port_addresses(config),
        "oomScoreAdj": -999,
        "conntrack": _conntrack(config),
        "configSyncPeriod": "15m0s",
        "portRange": "",
    }
    return _compact({"kubeproxy.config.k8s.io": document})


def _periods(config: ProxyConfig, mode: str) -> Json:
    """Only the mode that runs has its periods defaulted."""
    if mode != config.mode:
        return {"syncPeriod": NEVER, "minSyncPeriod": NEVER}
    return {"syncPeriod": "30s", "minSyncPeriod": NEVER if mode == "ipvs" else "1s"}


def _ipvs(config: ProxyConfig, periods: Json) -> Json:
    return {
        **periods,
        "scheduler": config.scheduler if config.mode == "ipvs" else "",
        "excludeCIDRs": None,
        "strictARP": config.strict_arp,
        "tcpTimeout": NEVER,
        "tcpFinTimeout": NEVER,
        "udpTimeout": NEVER,
    }


def _detection(config: ProxyConfig) -> Json:
    bridge = config.detect_local_mode == "BridgeInterface"
    prefix = config.detect_local_mode == "InterfaceNamePrefix"
    return {
        "detectLocalMode": config.detect_local_mode,
        "detectLocal": {
            "bridgeInterface": config.local_interface if bridge else "",
            "interfaceNamePrefix": config.local_interface if prefix else "",
        },
        "clusterCIDR": ",".join(config.cluster_cidrs),
    }


def _node_port_addresses(config: ProxyConfig) -> list[str] | None:
    if config.node_port_addresses:
        return list(config.node_port_addresses)
    return ["primary"] if config.mode == "nftables" else None


def _conntrack(config: ProxyConfig) -> Json:
    return {
        "maxPerCore": 32768,
        "min": 131072,
        "tcpEstablishedTimeout": "24h0m0s",
        "tcpCloseWaitTimeout": "1h0m0s",
        "tcpBeLiberal": config.tcp_be_liberal,
        "udpTimeout": NEVER,
        "udpStreamTimeout": NEVER,
    }


def _logging(verbosity: int) -> Json:
    options = {"text": {"infoBufferSize": "0"}, "json": {"infoBufferSize": "0"}}
    return {"format": "text", "flushFrequency": "5s", "verbosity": verbosity, "options": options}
