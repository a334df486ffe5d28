"""The kubernetes plugin: the cluster's objects as resource records (coredns plugin/kubernetes, backend_lookup.go)."""

import ipaddress
from collections.abc import Callable, Sequence

import dns.exception
import dns.reversename
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from .corefile import Block, Directive
from .kubernetes_options import Options, options
from .message import LOOKUPS, Next, Question, Record, Reply, innermost
from .names import absolute, read
from .nameservers import OWN, addresses
from .rdata import address, below, cname, data, soa
from .records import Records, Target
from .view import Informers
from .world import World

SCHEMA = "1.1.0"
SCHEMA_NAME, SCHEMA_TTL = ("dns-version",), 28800

Found = tuple[Sequence[Record], Sequence[Record]] | None
"""Answer and additional records; None says that the name does not exist."""
NODATA: Found = ((), ())


def build(directive: Directive, block: Block, world: World) -> "Kubernetes":
    return Kubernetes(options(directive, block), world)


class Kubernetes:
    """One stanza of the plugin, with what it can see of the cluster now."""

    def __init__(self, chosen: Options, world: World) -> None:
        behaviour, exposure = world.behaviour, chosen.exposure
        self._options = chosen
        self._world = world
        self._synced = not behaviour.unsynced and behaviour.endpoints != "unsynced"
        self._informers = Informers(
            world.view,
            exposure.labels,
            exposure.namespace_labels,
            nothing=behaviour.unsynced,
            endpoints=behaviour.endpoints == "visible",
        )
        self._records = Records(self._informers, exposure)
        self._kinds: dict[RdataType, Callable[[Question, Name], Found]] = {
            RdataType.A: self._addresses,
            RdataType.AAAA: self._addresses,
            RdataType.CNAME: self._cname,
            RdataType.SRV: self._srv,
            RdataType.TXT: self._txt,
            RdataType.PTR: self._ptr,
            RdataType.NS: self._ns,
            RdataType.SOA: self._apex_soa,
        }

    def __call__(self, question: Question, following: Next) -> Reply:
        zone = innermost(self._options.zones, question.name)
        if zone is None:
            return following(question)
        found = self._kinds.get(question.type, self._exists)(question, zone)
        if found is None and self._options.fallthrough.covers(question.name):
            return following(question)
        if found is None or not found[0]:
            missing = Rcode.NXDOMAIN if self._synced else Rcode.SERVFAIL
            rcode = missing if found is None else Rcode.NOERROR
            return Reply(rcode, authority=(self._soa(zone),), authoritative=True)
        answer, additional = found
        return Reply(Rcode.NOERROR, tuple(answer), additional=tuple(additional), authoritative=True)

    def _targets(self, name: Name, zone: Name) -> Sequence[Target] | None:
        if _is(name, OWN, zone):
            return [Target(ip, OWN) for _, ip in addresses(self._informers, self._world.addresses)]
        return self._records.find(read(name.relativize(zone).labels))

    def _exists(self, question: Question, zone: Name) -> Found:
        """What is asked of a name for any other type."""
        return None if self._targets(question.name, zone) is None else NODATA

    # ------------------------------------------------------------------------------------------------ addresses, CNAME

    def _addresses(self, question: Question, zone: Name) -> Found:
        found = self._chain(question, zone, ())
        return None if found is None else (found, ())

    def _chain(self, question: Question, zone: Name, before: tuple[Name, ...]) -> list[Record] | None:
        """The addresses of a name with the CNAMEs that lead there; ``before`` are the targets already come by."""
        targets = self._targets(question.name, zone)
        if targets is None:
            return None
        found: list[Record] = []
        for host in dict.fromkeys(target.host for target in targets):
            made = address(question.name, self._options.ttl, host)
            if made is None:
                found += self._alias(question, zone, host, before)
            elif made.data.rdtype == question.type:
                found.append(made)
        return found

    def _alias(self, question: Question, zone: Name, host: str, before: tuple[Name, ...]) -> list[Record]:
        """Within the zone a CNAME that ends nowhere is left out; outside it stands alone where nobody knows more."""
        goal = absolute(host)
        if goal is None or goal.is_subdomain(question.name) or goal in before or len(before) >= LOOKUPS:
            return []
        alias = cname(question.name, self._options.ttl, goal)
        if goal.is_subdomain(zone):
            onward = self._chain(Question(goal, question.type, depth=question.depth), zone, (*before, goal))
            return [alias, *onward] if onward else []
        return [alias, *self._world.resolve(Question(goal, question.type, depth=question.depth + 1)).answer]

    def _cname(self, question: Question, zone: Name) -> Found:
        targets = self._targets(question.name, zone)
        if targets is None:
            return None
        if not targets or address(question.name, 0, targets[0].host):
            return NODATA
        goal = absolute(targets[0].host)
        return ([cname(question.name, self._options.ttl, goal)], ()) if goal else NODATA

    # ------------------------------------------------------------------------------------------------------------ SRV

    def _srv(self, question: Question, zone: Name) -> Found:
        """One record per owner and port, the weight shared among all; their addresses go beside."""
        targets = self._targets(question.name, zone)
        if targets is None:
            return None
        ttl = self._options.ttl
        answer: dict[object, Record] = {}
        additional: dict[object, Record] = {}
        placed = [(target, made) for target in targets if (made := address(zone, ttl, target.host))]
        weight = max(100 // max(len(placed), 1), 1)
        for target, made in placed:
            if target.port == -1:
                continue
            owner = below(target.owner, zone)
            pointer = Record(question.name, ttl, data(RdataType.SRV, 0, weight, target.port, owner))
            answer.setdefault((target.owner, target.port), pointer)
            additional.setdefault((target.owner, target.host), made._replace(owner=owner))
        return list(answer.values()), list(additional.values())

    # ----------------------------------------------------------------------------------------------- TXT, PTR, NS, SOA

    def _txt(self, question: Question, zone: Name) -> Found:
        """CoreDNS calls a name without records nonexistent here, even one that has names below it."""
        if _is(question.name, SCHEMA_NAME, zone):
            return [Record(question.name, SCHEMA_TTL, data(RdataType.TXT, [SCHEMA]))], ()
        return NODATA if self._targets(question.name, zone) else None

    def _ptr(self, question: Question, zone: Name) -> Found:
        try:
            ip = dns.reversename.to_address(question.name)
        except (dns.exception.DNSException, ValueError):
            return self._exists(question, zone)
        owners = dict.fromkeys(self._records.reverse(str(ipaddress.ip_address(ip))))
        pointers = [data(RdataType.PTR, below(owner, self._options.primary)) for owner in owners]
        return ([Record(question.name, self._options.ttl, one) for one in pointers], ()) if pointers else None

    def _ns(self, question: Question, zone: Name) -> Found:
        if question.name != zone:
            return self._exists(question, zone)
        ttl = self._options.ttl
        answer: dict[Record, None] = {}
        additional: list[Record] = []
        for owner, ip in addresses(self._informers, self._world.addresses):
            name = below(owner, zone)
            answer[Record(question.name, ttl, data(RdataType.NS, name))] = None
            additional += filter(None, [address(name, ttl, ip)])
        return list(answer), additional

    def _apex_soa(self, question: Question, zone: Name) -> Found:
        return ([self._soa(zone)], ()) if question.name == zone else self._exists(question, zone)

    def _soa(self, zone: Name) -> Record:
        return soa(zone, self._options.ttl, self._world.serial())


def _is(name: Name, labels: Sequence[str], zone: Name) -> bool:
    return len(name) == len(labels) + len(zone) and name == below(labels, zone)
