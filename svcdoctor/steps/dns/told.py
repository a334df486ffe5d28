"""What kubelets tell pods, beside what the name servers are: their address, their zone."""

from collections.abc import Iterator

from ...model.cluster import KubeletConfiguration
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity, Subject
from ...model.name_service import addresses, plain, serves_dns
from ...model.service import Service
from ..step import find
from ..words import kubectl, some, source, subject
from . import names
from .view import View

WRONG_NAMESERVER = Rule(
    "SVC406",
    "wrong-nameserver",
    Severity.ERROR,
    "dns",
    "Pods are told to ask an address that is not the name servers'.",
    "The kubelet's clusterDNS differs from the Service's clusterIP: another service range, or a Service made anew.",
    "Set clusterDNS of the kubelets to the Service's clusterIP, restart them, and make the pods anew.",
)
ZONE_MISMATCH = Rule(
    "SVC407",
    "zone-mismatch",
    Severity.ERROR,
    "dns",
    "Pods search in another domain than the one that the name servers serve.",
    "The kubelets' clusterDomain and the zone of the Corefile's kubernetes plugin differ.",
    "Make the two the same; pods learn of another clusterDomain only when they are made anew.",
)
RULES = (WRONG_NAMESERVER, ZONE_MISMATCH)


def check(view: View) -> Iterator[Finding]:
    """For the client's kubelet; without a client, for all kubelets that were read."""
    node = view.client.spec.node_name if view.client else None
    kubelets = view.servers.kubelets
    if node is not None:
        told = view.servers.kubelet(node)
        kubelets = {node: told} if told else {}
    if view.wants_cluster_dns:
        yield from _wrong_nameserver(view, kubelets)
        yield from _zone_mismatch(view, kubelets)


def _share(
    sick: dict[str, KubeletConfiguration], all_kubelets: dict[str, KubeletConfiguration]
) -> tuple[Effect, Severity]:
    """Where only some nodes are told wrong, only their pods fail."""
    whole = len(sick) == len(all_kubelets)
    return (Effect.OUTAGE, Severity.ERROR) if whole else (Effect.PARTIAL, Severity.WARNING)


# ----------------------------------------------------------------------------------------------------- wrong-nameserver


def _wrong_nameserver(view: View, kubelets: dict[str, KubeletConfiguration]) -> Iterator[Finding]:
    service = view.servers.service
    if service is None or service.spec.cluster_ip in ("", "None"):
        return
    sick = {
        node: kubelet
        for node, kubelet in kubelets.items()
        if not kubelet.cluster_dns or _leads_nowhere(view, kubelet.cluster_dns)
    }
    if sick:
        yield _told_wrong(view, service, sick, kubelets)
    elif view.real is not None and _leads_nowhere(view, view.real.asked) and not _own_servers(view):
        yield _old_file(view, service)


def _own_servers(view: View) -> bool:
    """Whether the pod itself names nameservers: that is its own wish."""
    config = view.client.spec.dns_config if view.client else None
    return config is not None and bool(config.nameservers)


def _leads_nowhere(view: View, servers: tuple[str, ...]) -> bool:
    """Whether it is known that the first address of ``servers``, which is asked first, is none of the name servers'."""
    return bool(servers) and known_foreign(view, servers[0])


def known_foreign(view: View, address: str) -> bool:
    """Whether ``address`` is known to be nobody's who serves the cluster's names."""
    owner = view.servers.owner(address)
    service = view.servers.service
    if owner is not None:
        return service is not None and owner is not service and not serves_dns(owner)
    pods = {plain(ip) for pod in view.servers.pods for ip in pod.addresses}
    if view.servers.is_local(address) or plain(address) in pods:
        return False
    return view.servers.owned_by_nobody(address) or (service is not None and _same_range(service, address))


def _same_range(service: Service, address: str) -> bool:
    """Whether ``address`` can be nothing but a virtual one: half of it is the same as the name servers' own."""
    try:
        return any(
            names.family(own) == names.family(address)
            and _half(own) == _half(address)
            and plain(address) not in addresses(service)
            for own in addresses(service)
        )
    except ValueError:
        return False


def _half(address: str) -> str:
    """The first half of an address, in the order of its reverse name."""
    labels = names.reverse(address).split(".")[:-3]
    return ".".join(labels[len(labels) // 2 :])


def _told_wrong(
    view: View, service: Service, sick: dict[str, KubeletConfiguration], kubelets: dict[str, KubeletConfiguration]
) -> Finding:
    wrong = next((address for kubelet in sick.values() for address in kubelet.cluster_dns[:1]), "")
    where = "pods are" if len(sick) == len(kubelets) and not view.client else f"pods of {some(sick)} are"
    effect, severity = _share(sick, kubelets)
    owner = view.servers.owner(wrong)
    certain = not wrong or owner is not None or _same_range(service, wrong)
    return find(
        WRONG_NAMESERVER,
        _subject(view),
        f"{where} told to ask {wrong or 'nobody of the cluster'} for names, but the name servers are at "
        f"{some(addresses(service))}",
        [
            *(
                Evidence(_kubelet(node, "clusterDNS"), some(k.cluster_dns) or "empty")
                for node, k in list(sick.items())[:3]
            ),
            Evidence(source(service, "spec.clusterIPs"), some(addresses(service))),
            *([Evidence(f"API: the Service of {wrong}", _name(owner))] if wrong else []),
        ],
        Fix(
            f"Set clusterDNS to {addresses(service)[0]} in the kubelet's configuration of {_nodes(sick)}, restart it, "
            "and make the pods there anew.",
        ),
        effect=effect,
        severity=severity,
        confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
        ruled_out=[RuledOut("dns-down", f"{service.namespace}/{service.name} has ready endpoints")],
    )


def _name(owner: Service | None) -> str:
    return f"{owner.namespace}/{owner.name}" if owner else "there is none"


def _kubelet(node: str, field: str) -> str:
    return f"Kubelet of {node}: {field}" if node else f"ConfigMap kube-system/kubelet-config: {field}"


def _nodes(kubelets: dict[str, KubeletConfiguration]) -> str:
    return some(node for node in kubelets if node) or "every node"


def _subject(view: View) -> Subject:
    return subject(view.client) if view.client else subject(view.servers.service or view.service)


def _old_file(view: View, service: Service) -> Finding:
    """The kubelet would say something else today."""
    assert view.client is not None and view.real is not None
    return find(
        WRONG_NAMESERVER,
        subject(view.client),
        f"pod {view.client.name} asks {view.real.asked[0]} for names, but the name servers are at "
        f"{some(addresses(service))}",
        [
            Evidence(f"Pod {view.client.namespace}/{view.client.name}: /etc/resolv.conf", some(view.real.nameservers)),
            Evidence(source(service, "spec.clusterIPs"), some(addresses(service))),
            *(Evidence("Kubelet: what it writes now", some(view.told.conf.nameservers)) for _ in [0] if view.told),
        ],
        Fix(
            "Make the pod anew: its file was written when it started.",
            kubectl(view.client.namespace, "delete", "pod", view.client.name),
        ),
        effect=Effect.OUTAGE,
        ruled_out=[RuledOut("dns-policy", f"its dnsPolicy is {view.client.spec.dns_policy}")],
    )


# -------------------------------------------------------------------------------------------------------- zone-mismatch


def _zone_mismatch(view: View, kubelets: dict[str, KubeletConfiguration]) -> Iterator[Finding]:
    zones = view.served_zones
    if not zones or any(plugin.doubts for plugin in view.plugins) or view.servers.config_map is None:
        return
    sick = {
        node: kubelet
        for node, kubelet in kubelets.items()
        if kubelet.cluster_domain and not names.longest(zones, kubelet.cluster_domain)
    }
    if not sick:
        return
    domain = next(iter(sick.values())).cluster_domain
    effect, severity = _share(sick, kubelets)
    name = f"{view.service.name}.{view.service.namespace}.svc.{domain}."
    said = view.authority.expect(name, view.type)
    yield find(
        ZONE_MISMATCH,
        _subject(view),
        f"pods search in {domain}, but the name servers serve {some(zone.strip('.') for zone in zones)}",
        [
            *(Evidence(_kubelet(node, "clusterDomain"), k.cluster_domain) for node, k in list(sick.items())[:3]),
            Evidence(source(view.servers.config_map, "kubernetes"), some(zones)),
            Evidence(f"So {name}", f"{said.kind}: {said.why}"),
        ],
        Fix(
            f"Let the Corefile's kubernetes plugin serve {domain} too, or set the kubelets' clusterDomain to "
            f"{zones[0].strip('.')} and make the pods anew.",
            kubectl(view.servers.config_map.namespace, "edit", "configmap", view.servers.config_map.name),
        ),
        effect=effect,
        severity=severity,
        ruled_out=[RuledOut("corefile-override", "no stanza of the Corefile takes the name")],
    )
