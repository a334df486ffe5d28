"""One shape for the dialects: tables, chains, rules and sets as iptables, nft, ipset and IPVS hold them.

Rules and the elements of sets are read when they are first asked for: of the 330,000 rules of a large node a walk needs
a few. A rule that is not understood holds an `Opaque`; its text stays, and so do its neighbours.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from msgspec import Struct, structs

from .statements import Field, Match, Statement
from .values import Values

HOOKS = ("prerouting", "input", "forward", "output", "postrouting")


WORTH_AN_INDEX = 32


class Rule(Struct, frozen=True, gc=False):
    """``raw`` is the rule as the dump has it, without counters: ``-A CHAIN ...`` or the JSON object of nft."""

    raw: str
    statements: tuple[Statement, ...]
    comment: str = ""


class Base(Struct, frozen=True):
    """What makes a chain a base chain: packets come to it at ``hook``, lowest ``priority`` first."""

    hook: str
    priority: int
    policy: str  # accept or drop
    nat: bool = False  # sees the first packet of a connection only, until one of its kind translated it


class Chain:
    """A chain; ``texts`` are the raw rules in order, ``header`` is the line or object that declares it."""

    __slots__ = ("_index", "_read", "_rules", "base", "header", "name", "texts")

    def __init__(
        self, name: str, header: str, base: Base | None, texts: list[str], read: Callable[[str], Rule]
    ) -> None:
        self.name = name
        self.header = header
        self.base = base
        self.texts = texts
        self._read = read
        self._rules: tuple[Rule, ...] | None = None
        self._index: Index | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        if self._rules is None:
            self._rules = tuple(map(self._read, self.texts))
        return self._rules

    def rules_for(self, destination: int | None, port: int) -> Iterable[Rule]:
        """The rules in order, without most of those that another destination or port keeps from matching."""
        if len(self.texts) < WORTH_AN_INDEX or destination is None:
            return self.rules
        if self._index is None:
            self._index = Index(self.rules)
        return (self.rules[position] for position in self._index.positions(destination, port))

    def __repr__(self) -> str:
        return f"Chain({self.name!r}, {self.base}, {len(self.texts)} rules)"


class Index:
    """Which rules of a long chain may match: a node's KUBE-SERVICES has one for each port of each Service."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.by_destination: dict[object, list[int]] = {}
        self.by_port: dict[object, list[int]] = {}
        self.others: list[int] = []
        for position, rule in enumerate(rules):
            wanted = {
                statement.keys[0]: next(iter(statement.among.exact))[0]
                for statement in rule.statements
                if isinstance(statement, Match) and _one_exact(statement)
                if isinstance(statement.among, Values)
            }
            if Field.DESTINATION in wanted:
                self.by_destination.setdefault(wanted[Field.DESTINATION], []).append(position)
            elif Field.DESTINATION_PORT in wanted:
                self.by_port.setdefault(wanted[Field.DESTINATION_PORT], []).append(position)
            else:
                self.others.append(position)

    def positions(self, destination: int, port: int) -> list[int]:
        return sorted((*self.by_destination.get(destination, ()), *self.by_port.get(port, ()), *self.others))


def _one_exact(match: Match) -> bool:
    if match.negated or len(match.keys) != 1 or isinstance(match.among, str):
        return False
    return len(match.among.exact) == 1 and not match.among.loose


class NamedSet:
    """A set, or a map where its elements have data; ``header`` declares it, as the dump does.

    ``types`` says what an element consists of, in the dialect's words. A set of a type that is not understood has no
    ``values``.
    """

    def __init__(
        self,
        name: str,
        types: tuple[str, ...],
        header: str,
        values: Callable[[], Values | None],
        remembers: bool = False,
    ) -> None:
        self.name = name
        self.types = types
        self.header = header
        self.remembers = remembers  # its elements expire: packets put them there
        self._values = values

    @cached_property
    def values(self) -> Values | None:
        return self._values()

    def __repr__(self) -> str:
        return f"NamedSet({self.name!r}, {self.types})"


class Table(Struct, frozen=True):
    """``family`` is ip, ip6 or inet; others hold nothing that a routed packet meets."""

    family: str
    name: str
    chains: Mapping[str, Chain]
    sets: Mapping[str, NamedSet] = {}
    dialect: str = "iptables"  # or nft
    header: str = ""  # of nft: the object that declares it
    handle: int | None = None  # nft counts tables as they are made
    others: tuple[str, ...] = ()  # of nft: objects that no packet meets by themselves, such as counters

    def __str__(self) -> str:
        return f"{self.family} {self.name}"


class Server(Struct, frozen=True):
    """A real server of IPVS. Weight 0: it gets no new connections."""

    address: str
    port: int
    weight: int
    raw: str


class VirtualServer(Struct, frozen=True):
    """An IPVS service, by address and port or by firewall mark."""

    raw: str
    scheduler: str
    protocol: str = ""  # tcp, udp or sctp; empty for a firewall mark
    address: str = ""
    port: int = 0  # 0: any port
    mark: int = 0
    persistent: bool = False  # a client stays with its server
    servers: tuple[Server, ...] = ()


class Ruleset(Struct, frozen=True):
    """What one or several dumps of a node say."""

    tables: tuple[Table, ...] = ()
    sets: Mapping[str, NamedSet] = {}  # of ipset
    virtual_servers: tuple[VirtualServer, ...] = ()
    nf_tables: bool = False  # iptables tables that nft shows as well
    header: str = ""  # what nft says of itself
    ipvs: bool = False  # the kernel's virtual servers were read, even if there are none

    @property
    def rule_count(self) -> int:
        return sum(len(chain.texts) for table in self.tables for chain in table.chains.values())


IPTABLES_NAMES = frozenset({"raw", "mangle", "nat", "filter", "security"})


def combine(rulesets: Iterable[Ruleset]) -> Ruleset:
    """All that the dumps of one node say together.

    `nft list ruleset` shows tables of iptables-nft too, but not what their matches say: where iptables-save was read
    from that back end, nft's view of them is left out.
    """
    parts = list(rulesets)
    shown = {(table.family, table.name) for part in parts if part.nf_tables for table in part.tables}
    handles = {(table.family, table.name): table.handle for part in parts for table in part.tables if table.handle}
    return Ruleset(
        tuple(
            structs.replace(table, handle=handles.get((table.family, table.name))) if part.nf_tables else table
            for part in parts
            for table in part.tables
            if table.dialect == "iptables" or (table.family, table.name) not in shown
        ),
        {name: found for part in parts for name, found in part.sets.items()},
        tuple(server for part in parts for server in part.virtual_servers),
        any(part.nf_tables for part in parts),
        next((part.header for part in parts if part.header), ""),
        any(part.ipvs for part in parts),
    )
