"""The resolv.conf that a kubelet gives a pod, computed (pkg/kubelet/network/dns/dns.go of Kubernetes 1.36)."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from ...model.cluster import KubeletConfiguration
from ...model.pod import Pod, PodDNSConfig
from .names import LONGEST, canonical
from .resolv_conf import MOST_NAMESERVERS, ResolvConf

MOST_SEARCHES = 32
LONGEST_SEARCH_LINE = 2048
CLUSTER_OPTIONS = ("ndots:5",)
LOOPBACK = ("127.0.0.1", "::1")


class Told(Struct, frozen=True):
    """What a pod is told, as far as it follows from what was read."""

    conf: ResolvConf
    why: str  # which rule made it, in words
    cluster: bool  # whether cluster names can be resolved by it, by intent
    open_nameservers: bool = False  # True: there are others, which depend on what was not read
    open_search: bool = False  # True: more search domains may follow
    open_options: bool = False
    unknown: tuple[str, ...] = ()  # in words: what was not read
    omitted: tuple[str, ...] = ()  # in words: what the kubelet leaves out for its limits (event DNSConfigForming)

    def differs(self, real: ResolvConf) -> tuple[str, ...]:
        """In words, how a real file differs from what the kubelet would write now."""
        found = [*self._servers(real), *self._searches(real)]
        wanted, given = self.conf.named, real.named
        for name in wanted.keys() | (set() if self.open_options else given.keys()):
            if wanted.get(name) != given.get(name):
                found.append(f"option {name} is {_said(given, name)} instead of {_said(wanted, name)}")
        return tuple(found)

    def _servers(self, real: ResolvConf) -> Iterable[str]:
        expected = [canonical(server) for server in self.conf.nameservers]
        given = [canonical(server) for server in real.nameservers]
        if {*expected, *given} <= set(LOOPBACK) and expected and given:
            return  # which of the two depends on the node's own flags
        yield from (f"nameserver {server} is missing" for server in expected if server not in given)
        if not self.open_nameservers:
            yield from (
                f"nameserver {server} is not what the kubelet writes" for server in given if server not in expected
            )
            if given != expected and sorted(given) == sorted(expected):
                yield f"the nameservers are asked in another order: {', '.join(given)}"

    def _searches(self, real: ResolvConf) -> Iterable[str]:
        wanted, given = self.conf.search, real.search
        yield from (f"search domain {domain} is missing" for domain in wanted if domain not in given)
        if not self.open_search:
            yield from (
                f"search domain {domain} is not what the kubelet writes" for domain in given if domain not in wanted
            )
        kept = [domain for domain in given if domain in wanted]
        if sorted(kept) == sorted(wanted) and kept != list(wanted):
            yield f"the search domains are tried in another order: {' '.join(given)}"


def _said(options: dict[str, str], name: str) -> str:
    return (options[name] or "set") if name in options else "not set"


def node_file(text: str) -> ResolvConf:
    """The file of a node as the kubelet reads it: no ``domain``, white space anywhere, the last ``search`` counts."""
    nameservers: list[str] = []
    search: list[str] = []
    options: dict[str, str] = {}
    for words in (line.split() for line in text.split("\n") if not line.lstrip().startswith("#")):
        match words:
            case ["nameserver", server, *_]:
                nameservers.append(server)
            case ["search", *domains]:
                search = [domain.removesuffix(".") for domain in domains if domain != "."]
            case ["options", *more]:
                options |= {option.partition(":")[0]: option for option in more}
    return ResolvConf(tuple(nameservers), tuple(search), tuple(options.values()))


def told(pod: Pod, kubelet: KubeletConfiguration | None, node: ResolvConf | None = None) -> Told:
    """What ``pod`` is told by its node's kubelet. ``node`` is the file that its resolvConf names (`node_file`).

    Either may not have been read: then the parts that depend on it are open.
    """
    base = _base(pod, kubelet, node)
    if pod.spec.dns_config is not None:
        base = structs.replace(base, conf=_added(base.conf, pod.spec.dns_config))
    return _within_limits(base)


def _base(pod: Pod, kubelet: KubeletConfiguration | None, node: ResolvConf | None) -> Told:
    policy = pod.spec.dns_policy
    if policy == "None":
        return Told(ResolvConf(), "dnsPolicy None: only what dnsConfig says", False)
    from_node = policy == "Default" or (policy == "ClusterFirst" and pod.spec.host_network)
    why = f"dnsPolicy {policy}" if policy == "Default" or not from_node else "dnsPolicy ClusterFirst with hostNetwork"
    if from_node:
        return _host(f"{why}: the node's own file", kubelet, node)
    if kubelet is None:
        unread = ("the kubelet's configuration was not read: neither its clusterDNS nor its clusterDomain is known",)
        conf = ResolvConf(options=CLUSTER_OPTIONS)
        return Told(conf, f"{why}: the cluster's DNS", True, True, True, unknown=unread)
    if not kubelet.cluster_dns:
        return _host(
            f"{why}, but the kubelet has no clusterDNS (event MissingClusterDNS): the node's own file", kubelet, node
        )
    return _cluster(f"{why}: the cluster's DNS", pod.namespace, kubelet, node)


def _cluster(why: str, namespace: str, kubelet: KubeletConfiguration, node: ResolvConf | None) -> Told:
    domain = kubelet.cluster_domain
    own = (f"{namespace}.svc.{domain}", f"svc.{domain}", domain) if domain else ()
    unread = () if node is not None or not kubelet.resolv_conf else (_file(kubelet),)
    search = _unique((*own, *(node.search if node and kubelet.resolv_conf else ())))
    servers = tuple(map(canonical, kubelet.cluster_dns))
    conf = ResolvConf(servers, search, CLUSTER_OPTIONS)
    return Told(conf, why, True, open_search=bool(unread), unknown=unread)


def _host(why: str, kubelet: KubeletConfiguration | None, node: ResolvConf | None) -> Told:
    if kubelet is not None and kubelet.resolv_conf == "":
        conf = ResolvConf(LOOPBACK[:1], (".",))
        return Told(conf, f"{why}, but resolvConf is empty: no DNS but on the pod's own loopback", False)
    if node is None:
        unread = _file(kubelet) if kubelet else "the kubelet's configuration was not read, nor the node's resolv.conf"
        return Told(ResolvConf(), why, False, True, True, True, (unread,))
    return Told(structs.replace(node, garbage=()), why, False)


def _file(kubelet: KubeletConfiguration) -> str:
    return f"the node's {kubelet.resolv_conf or '/etc/resolv.conf'} was not read"


def _added(conf: ResolvConf, more: PodDNSConfig) -> ResolvConf:
    options = conf.named | {option.name: option.value or "" for option in more.options}
    return ResolvConf(
        _unique((*conf.nameservers, *more.nameservers)),
        _unique((*conf.search, *more.searches)),
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _within_limits(whole: Told) -> Told:
    """formDNSConfigFitsLimits: three nameservers, 32 search domains of 253 characters in a line of 2048."""
    conf = whole.conf
    servers = conf.nameservers[:MOST_NAMESERVERS]
    omitted = [f"nameserver {server}: only {MOST_NAMESERVERS} are kept" for server in conf.nameservers[len(servers) :]]
    search = [domain for domain in conf.search[:MOST_SEARCHES] if len(domain) <= LONGEST]
    while len(" ".join(search)) > LONGEST_SEARCH_LINE:
        search.pop()
    omitted += [
        f"search domain {domain}: {_limit(conf.search, domain)}" for domain in conf.search if domain not in search
    ]
    kept = structs.replace(conf, nameservers=servers, search=tuple(search))
    return structs.replace(whole, conf=kept, omitted=tuple(omitted))


def _limit(search: Sequence[str], domain: str) -> str:
    if len(domain) > LONGEST:
        return f"more than {LONGEST} characters"
    if search.index(domain) >= MOST_SEARCHES:
        return f"only {MOST_SEARCHES} are kept"
    return f"the line would have more than {LONGEST_SEARCH_LINE} characters"


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
