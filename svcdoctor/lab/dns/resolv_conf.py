"""A pod's /etc/resolv.conf, as the kubelet decides and containerd writes it (kubelet network/dns/dns.go, GetPodDNS)."""

import ipaddress
from collections.abc import Iterable, Sequence

from msgspec import Struct

from .view import Json

MOST_SERVERS, MOST_SEARCHES, MOST_SEARCH_CHARACTERS, LONGEST_SEARCH = 3, 32, 2048, 253
CLUSTER_OPTIONS = ("ndots:5",)


class Settings(Struct, frozen=True):
    """What a resolv.conf says."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def resolv_conf(pod: Json, *, cluster_dns: Sequence[str], cluster_domain: str, node_resolv_conf: str) -> str:
    """The file's text. ``node_resolv_conf`` is the text of the node's file, empty where the kubelet has none set."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    node = _parse(node_resolv_conf)
    if policy == "None":
        base = Settings()
    elif _from_cluster(policy, spec) and cluster_dns:
        servers = tuple(str(ipaddress.ip_address(ip)) for ip in cluster_dns)
        base = Settings(servers, _searches(pod, cluster_domain, node.searches), CLUSTER_OPTIONS)
    else:
        base = node if node_resolv_conf else Settings(_loopbacks(pod), (".",))
    return _text(_limited(_extended(base, spec.get("dnsConfig") or {})))


def _from_cluster(policy: str, spec: Json) -> bool:
    return policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not spec.get("hostNetwork"))


def _searches(pod: Json, domain: str, node: tuple[str, ...]) -> tuple[str, ...]:
    if not domain:
        return node
    return _once([f"{pod['metadata']['namespace']}.svc.{domain}", f"svc.{domain}", domain, *node])


def _loopbacks(pod: Json) -> tuple[str, ...]:
    """Without a file of the node, its resolver would ask the machine itself: one address per family of the node."""
    ips = [entry["ip"] for entry in pod.get("status", {}).get("hostIPs") or ()]
    return tuple("::1" if ":" in ip else "127.0.0.1" for ip in ips) or ("127.0.0.1",)


def _parse(text: str) -> Settings:
    """A search of "." alone is dropped, as the kubelet does for musl's sake (since 1.25)."""
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for words in map(str.split, text.splitlines()):
        if words[:1] == ["nameserver"]:
            servers += words[1:2]
        elif words[:1] == ["search"]:
            searches = tuple(word.removesuffix(".") for word in words[1:] if word != ".")
        elif words[:1] == ["options"]:
            options = tuple(words[1:])
    return Settings(tuple(servers), searches, options)


def _extended(base: Settings, config: Json) -> Settings:
    """With the pod's dnsConfig: appended, but options override those of the same name."""
    if not config:
        return base
    options = {option.partition(":")[0]: option for option in base.options}
    for option in config.get("options") or ():
        value = option.get("value")
        options[option["name"]] = f"{option['name']}:{value}" if value else option["name"]
    return Settings(
        _once([*base.servers, *(config.get("nameservers") or ())]),
        _once([*base.searches, *(config.get("searches") or ())]),
        tuple(options.values()),
    )


def _limited(settings: Settings) -> Settings:
    searches = [one for one in settings.searches[:MOST_SEARCHES] if len(one) <= LONGEST_SEARCH]
    while len(" ".join(searches)) > MOST_SEARCH_CHARACTERS:
        searches.pop()
    return Settings(settings.servers[:MOST_SERVERS], tuple(searches), settings.options)


def _text(settings: Settings) -> str:
    lines = [f"search {' '.join(settings.searches)}"] if settings.searches else []
    lines += [f"nameserver {server}" for server in settings.servers]
    lines += [f"options {' '.join(settings.options)}"] if settings.options else []
    return "".join(line + "\n" for line in lines)


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
