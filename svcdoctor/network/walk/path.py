"""The way of a packet through chains and hooks, branch by branch, to its ends."""

from collections.abc import Mapping

from msgspec import structs

from ..packet import Hop, Kind, Origin, Outcome
from ..ruleset import Chain, Table
from ..ruleset.statements import VerdictKind
from . import ipvs
from .actions import At
from .node import Node, Stop, turned
from .rules import run
from .state import State, written

CONNTRACK_PRIORITY = -200
MOST_STEPS = 200_000
"""Rules that one walk may ask, all its doubts together; real ones take hundreds, or 25 for each endpoint."""
DEEPEST = 64
"""Jumps within jumps: nft allows 16, and rule sets that are in use a handful."""

Doubt = tuple[str, ...]
"""What is not known: a rule's conditions, or whether an address is local."""
Ended = tuple[State, VerdictKind | None]
"""A branch after a chain; None if it fell off its end or returned."""


class TooLong(Exception):
    """More steps than any real rule set needs."""


class Path:
    """One walk. ``assumed`` answers doubts; those that it does not answer are gathered in ``doubts``.

    ``steps`` were taken before, by walks with other answers.
    """

    def __init__(self, node: Node, assumed: Mapping[Doubt, bool], steps: int = 0) -> None:
        self.node = node
        self.assumed = assumed
        self.doubts: dict[Doubt, None] = {}
        self.outcomes: list[Outcome] = []
        self.notes: dict[str, None] = {}
        self.steps = steps

    # ---------------------------------------------------------------------------------------------------------- the way

    def follow(self, state: State) -> None:
        """From where the packet enters to wherever it ends. Raises TooLong."""
        if state.origin is Origin.NODE:
            for sent in self._send(state):
                self._leave(sent, "output")
            return
        for came in self.hook("prerouting", state):
            for routed, local in self._route(came, "prerouting"):
                if local:
                    self._deliver(routed)
                else:
                    self._forward(routed)

    def _send(self, state: State) -> list[State]:
        """A process sends: it needs a route before any rule is asked."""
        device = self._device(state)
        if device == "":
            self.end(state, Kind.UNREACHABLE, "the node has no route", "output")
            return []
        return self.hook("output", structs.replace(state, out_interface=device))

    def _leave(self, state: State, hook: str) -> None:
        """What the node sends, by itself or through IPVS: routed again, for rules may have changed where it goes."""
        for routed, local in self._route(state, hook):
            for posted in self.hook("postrouting", routed):
                if not local:
                    self.arrive(posted, local=False)
                    continue
                for back in self.hook("prerouting", structs.replace(posted, in_interface="lo", out_interface="")):
                    self._deliver(back)

    def _forward(self, state: State) -> None:
        if not self.node.host.forwarding:
            self.end(state, Kind.DROP, "the node does not forward (ip_forward is 0)", "forward")
            return
        for passed in self.hook("forward", state):
            for posted in self.hook("postrouting", passed):
                self.arrive(posted, local=False)

    def _deliver(self, state: State) -> None:
        for taken in self.hook("input", structs.replace(state, out_interface="")):
            self.arrive(taken, local=True)

    def _device(self, state: State) -> str | None:
        if state.redirected or state.destination is None:
            return "lo" if state.redirected else None
        return "lo" if self.node.is_local(state.destination) else self.node.device(state.destination)

    def _route(self, state: State, hook: str) -> list[tuple[State, bool]]:
        """Where the packet goes now: (with its interface, whether to the node itself). It may end here."""
        local = self._local(state)
        if local is None:
            address = written(state.destination, state.v6)
            self.unknown(state, f"it is not known whether {address} is an address of the node")
            return []
        loopback = self.node.is_loopback
        if not self.node.host.route_localnet and not state.v6:
            outgoing = state.source is not None and loopback(state.source) and not local
            incoming = state.origin is not Origin.NODE and state.destination is not None and loopback(state.destination)
            if outgoing or incoming:
                self.end(state, Kind.DROP, "loopback addresses are not routed (route_localnet is 0)", hook)
                return []
        device = "lo" if local else self._device(state)
        if device == "":
            self.end(state, Kind.UNREACHABLE, "the node has no route", hook)
            return []
        return [(structs.replace(state, out_interface=device), local)]

    def _local(self, state: State) -> bool | None:
        if state.redirected:
            return True
        if state.destination is None:
            return None
        known = self.node.is_local(state.destination)
        if known is None and (state.dnat or state.virtual is not None):
            return False  # an endpoint; those on the node's own network need its addresses to be known
        return self.assume(("local", str(state.destination))) if known is None else known

    # -------------------------------------------------------------------------------------------------------- the hooks

    def hook(self, name: str, state: State) -> list[State]:
        """The branches that pass the hook."""
        stops = self.node.stops[name]
        if name in self.node.ambiguous:
            as_listed = self.assume(("order",))
            if as_listed is None:
                self.unknown(state, f"which of two tables with chains of equal priority at {name} is asked first")
                return []
            stops = stops if as_listed else turned(stops)
        live = [state]
        for one_stop in stops:
            if one_stop.priority > CONNTRACK_PRIORITY:
                live = [one if one.seen else structs.replace(one, seen=True) for one in live]
            live = [passed for one in live for passed in self._stop(name, one_stop, one)]
        return live

    def _stop(self, hook: str, stop: Stop, state: State) -> list[State]:
        if not stop.chains:
            return self._ipvs(hook, state)
        if not stop.nat:
            ((table, chain),) = stop.chains
            return self._base(hook, table, chain, state)
        return self._nat(hook, stop, state)

    def _nat(self, hook: str, stop: Stop, state: State) -> list[State]:
        """The chains of nat one after the other, until one translates; for the first packet of a connection only."""
        done = "destination_done" if hook in ("prerouting", "output") else "source_done"
        live = [state]
        for table, chain in stop.chains:
            live = [
                passed
                for one in live
                for passed in ([one] if getattr(one, done) or not one.tracked else self._base(hook, table, chain, one))
            ]
        return [one if getattr(one, done) else structs.replace(one, **{done: True}) for one in live]

    def _ipvs(self, hook: str, state: State) -> list[State]:
        """What IPVS takes is sent anew, save to a server on the node itself."""
        found = ipvs.take(self, hook, state)
        if found is None:
            return [state]
        passed: list[State] = []
        for one in found:
            if self._local(one):
                passed.append(one)
            elif hook == "input":
                for sent in self.hook("output", one):
                    self._leave(sent, "output")
            else:
                passed += self.hook("output", one)
        return passed

    def _base(self, hook: str, table: Table, chain: Chain, state: State) -> list[State]:
        """The branches that a base chain accepts."""
        assert chain.base is not None
        passed: list[State] = []
        for ended, verdict in self._chain(hook, table, chain, state, ()):
            if verdict is VerdictKind.DROP:
                self.end(ended, Kind.DROP, "drop")
            elif verdict is VerdictKind.ACCEPT or chain.base.policy != "drop":
                passed.append(ended)
            elif verdict is None:
                hop = Hop(hook, str(table), chain.name, "", "policy drop")
                self.end(structs.replace(ended, trail=(ended.trail, hop)), Kind.DROP, f"policy drop of {chain.name}")
        return passed

    # ------------------------------------------------------------------------------------------------------- the chains

    def _chain(self, hook: str, table: Table, chain: Chain, state: State, above: tuple[str, ...]) -> list[Ended]:
        ended: list[Ended] = []
        live = [state]
        for rule in chain.rules_for(state.destination, state.port):
            if not live:
                break
            at = At(hook, table, chain, rule)
            following: list[State] = []
            for one in live:
                for branch, verdict in run(at, one, self):
                    if verdict is None:
                        following.append(branch)
                    elif verdict.kind is VerdictKind.REJECT:
                        self.end(branch, Kind.REJECT, verdict.target)
                    elif verdict.kind is VerdictKind.RETURN:
                        ended.append((branch, None))
                    elif verdict.kind in (VerdictKind.JUMP, VerdictKind.GOTO):
                        for below, end in self._jump(at, verdict.target, branch, above):
                            if end is None and verdict.kind is VerdictKind.JUMP:
                                following.append(below)
                            else:
                                ended.append((below, end))
                    else:
                        ended.append((branch, verdict.kind))
            live = following
        return ended + [(one, None) for one in live]

    def _jump(self, at: At, name: str, state: State, above: tuple[str, ...]) -> list[Ended]:
        chain = at.table.chains.get(name)
        if chain is None:
            self.unknown(state, f"{name} is neither a chain of the dump nor a target that is understood: {at.rule.raw}")
        elif name in above or name == at.chain.name or len(above) >= DEEPEST:
            self.unknown(state, f"the chains jump in a circle: {at.rule.raw}")
        else:
            return self._chain(at.hook, at.table, chain, state, (*above, at.chain.name))
        return []

    # --------------------------------------------------------------------------------------------------------- the ends

    def arrive(self, state: State, local: bool) -> None:
        """It passed all hooks."""
        if (state.dnat or state.virtual is not None) and not state.redirected:
            self.end(state, Kind.ENDPOINT)
        elif local:
            self.end(state, Kind.LOCAL)
        else:
            self.end(state, Kind.ROUTED)

    def end(self, state: State, kind: Kind, why: str = "", routing: str = "") -> None:
        """``routing``: no rule ended it but the node's routing, at that hook."""
        if routing:
            hop = Hop(routing, "routing", "", "", why)
            state = structs.replace(state, trail=(state.trail, hop))
        source = None if state.source is None else written(state.source, state.v6)
        address = written(state.destination, state.v6)
        self.outcomes.append(Outcome(kind, state.weight, address, state.port, source, why, state.hops, state.snat))

    def unknown(self, state: State, why: str) -> None:
        self.end(state, Kind.UNKNOWN, why)

    def assume(self, doubt: Doubt) -> bool | None:
        """How a doubt is answered in this walk; None if it is not."""
        if doubt not in self.assumed:
            self.doubts[doubt] = None
        return self.assumed.get(doubt)

    def count(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLong
