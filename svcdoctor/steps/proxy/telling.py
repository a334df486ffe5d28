"""How findings about nodes are put: their names, their rules, what a client loses."""

from collections.abc import Iterable, Iterator, Sequence

from ...model.case import Case
from ...model.diagnosis import Effect, Evidence, Severity
from ...network.compare import Difference, Kind
from ...network.packet import Hop
from ..words import count, quote, some
from .nodes import Seen, client_node

MOST = 4
"""Rules that are quoted of one finding."""


def names(nodes: Iterable[Seen]) -> str:
    return some((node.name for node in nodes), 5)


def on_nodes(nodes: Sequence[Seen]) -> str:
    """``node1``, ``3 nodes (a, b, c)``."""
    ordered = sorted(nodes, key=lambda node: node.name)
    return nodes[0].name if len(nodes) == 1 else f"{count(len(nodes), 'node')} ({names(ordered)})"


def place(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def rule_evidence(node: Seen, hop: Hop, fact: str = "") -> Evidence:
    """A rule as it stands on the node."""
    where = f"Node {node.name}: {hop.table} {hop.chain}".rstrip()
    return quote(where, (hop.rule or hop.effect) + (f" ({fact})" if fact else ""))


def told(node: Seen, differences: Iterable[Difference]) -> Iterator[Evidence]:
    """The differences of a node in words with the rules, each once, at most MOST."""
    seen: dict[str, Evidence] = {}
    for difference in differences:
        hop = difference.deciding
        address = place(difference.place) if difference.place else ""
        match difference.kind:
            case Kind.EXTRA_ENDPOINT | Kind.WRONG_PORT | Kind.WRONG_POLICY | Kind.WRONG_WEIGHT:
                fact = f"{address}: {difference.kind}" if address else str(difference.kind)
            case Kind.MISSING_ENDPOINT:
                fact = f"no rule leads to {address}"
            case _:
                fact = f"{difference.frontend}: {difference.kind}"
        if fact in seen:
            continue
        shown = hop is not None and bool(hop.rule) and difference.kind not in OF_NOTHING
        seen[fact] = rule_evidence(node, hop, fact) if hop and shown else Evidence(f"Node {node.name}", fact)
        if len(seen) == MOST:
            break
    yield from seen.values()


OF_NOTHING = frozenset({Kind.NO_FRONTEND, Kind.DANGLING, Kind.NO_MASQUERADE})
"""Where no rule can be shown, for it is not there."""


def severity(case: Case, nodes: Iterable[Seen]) -> Severity:
    """An error where the client's packets start, or where nobody said whose packets are meant; else a warning."""
    home = client_node(case)
    return Severity.ERROR if not home or home in {node.name for node in nodes} else Severity.WARNING


def effect(case: Case, nodes: Sequence[Seen], others: Sequence[Seen]) -> Effect:
    """An outage if nothing of the client's, or of anybody's, gets through."""
    home = client_node(case)
    concerned = [node for node in nodes if node.name == home] if home else nodes
    if not concerned:
        return Effect.PARTIAL
    dead = all(is_dead(node.differences) for node in concerned)
    return Effect.OUTAGE if dead and (home or not others) else Effect.PARTIAL


LOSES_ALL = frozenset(
    {Kind.NO_FRONTEND, Kind.DANGLING, Kind.WRONG_VERDICT, Kind.FOREIGN, Kind.POLICY, Kind.FORWARDING, Kind.NO_ROUTE}
)


LOSES_ONE = LOSES_ALL | {Kind.MISSING_ENDPOINT, Kind.WRONG_PORT}


def _lost(difference: Difference, wanted: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """The endpoints that the difference takes away; a wrong port stands for the right ones."""
    if difference.place is None or difference.kind is not Kind.WRONG_PORT:
        return {difference.place} if difference.place else set()
    return {place for place in wanted if place[0] == difference.place[0]}


def is_dead(differences: Iterable[Difference]) -> bool:
    """Whether some client finds no endpoint at all at some frontend."""
    lost: dict[object, set[tuple[str, int]]] = {}
    for difference in differences:
        expected = difference.expected
        wanted = set(expected.shares) if expected else set()
        if not wanted:
            continue
        if difference.kind in LOSES_ALL and difference.place is None:
            return True
        if difference.kind in LOSES_ONE:
            gone = lost.setdefault((difference.frontend, difference.client), set())
            gone |= _lost(difference, wanted)
            if gone >= wanted:
                return True
    return False
