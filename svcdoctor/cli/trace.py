"""svcdoctor trace: where a packet goes by the rules of a node."""

from collections.abc import Sequence
from fractions import Fraction
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Option

from ..errors import ExitCode, UsageError
from . import console
from .options import NoColor

if TYPE_CHECKING:
    from ..network.packet import Hop, Origin, Outcome, Packet, Walk
    from ..report import Look

FORMS = "--to takes an address and a port: 10.96.0.10:80, 10.96.0.10:53/udp, [fd00::10]:80"
PROTOCOLS = ("tcp", "udp", "sctp")


def trace(
    rules: Annotated[
        list[Path],
        Option(
            metavar="FILE",
            help="Dump of a node's rules; repeatable: iptables-save, nft -j list ruleset, ipset save, /proc/net/ip_vs.",
        ),
    ],
    source: Annotated[str, Option("--from", metavar="IP", help="The client's address.")],
    to: Annotated[str, Option(metavar="IP:PORT", help="Where it sends to: 10.96.0.10:80, 10.96.0.10:53/udp.")],
    enters: Annotated[
        Literal["pod", "node", "outside"] | None,
        Option(
            "--enters",
            metavar="WAY",
            help="pod, node or outside. Without it: node for a loopback or node address, else pod.",
        ),
    ] = None,
    node_address: Annotated[
        list[str] | None,
        Option(metavar="IP", help="An address of the node; repeatable. Give all of them, or none."),
    ] = None,
    new_client: Annotated[bool, Option("--new-client", help="As a client that no affinity remembers.")] = False,
    output: Annotated[
        Literal["terminal", "json"], Option("--output", "-o", metavar="FORMAT", help="terminal or json.")
    ] = "terminal",
    no_color: NoColor = False,
) -> ExitCode:
    """Follow a packet through the rules of a node.

    Reads dumps only, no cluster. Shows each end that the packet may find, with its share, whether the client's address
    is kept, and the rules on the way there.

    Exit codes: 0 all packets pass, 1 some are dropped or refused, 2 usage, 3 some ends are not known.
    """
    from ..network.packet import Host, Origin, Packet
    from ..network.ruleset import combine
    from ..network.walk import walk
    from ..network.walk.reading import read_dump

    destination, port, protocol = _destination(to)
    _same_family(source, destination)
    addresses = frozenset(_address(one, "--node-address") for one in node_address) if node_address else None
    origin = Origin(enters) if enters else _origin(source, addresses or frozenset())
    packet = Packet(source, destination, port, protocol, origin, new_client=new_client)
    dumps = combine([read_dump(_bytes(path), str(path)) for path in rules])
    found = walk(dumps, packet, Host(addresses=addresses))
    if output == "json":
        console.write(_json(found))
    else:
        from .screen import look

        console.write(_text(found, look(no_color), addresses is None))
    return exit_code(found)


def exit_code(found: "Walk") -> ExitCode:
    """3 where a part is not known, else 1 where a part does not pass."""
    from ..network.packet import Kind

    if found.share(Kind.UNKNOWN):
        return ExitCode.COULD_NOT_LOOK
    return (
        ExitCode.FINDINGS
        if any(found.share(kind) for kind in (Kind.DROP, Kind.REJECT, Kind.UNREACHABLE))
        else ExitCode.OK
    )


# ------------------------------------------------------------------------------------------------------ what was asked


def _destination(text: str) -> tuple[str, int, str]:
    """(address, port, protocol). Raises UsageError."""
    place, _, protocol = text.partition("/")
    address, colon, port = place.rpartition(":")
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    right = colon and port.isascii() and port.isdecimal() and int(port[:6]) <= 65535 and len(port) <= 5
    if not right or (":" in bare and bare == address) or (protocol or "tcp").lower() not in PROTOCOLS:
        raise UsageError(f"{text} is no destination", FORMS)
    return _address(bare, "--to"), int(port), (protocol or "tcp").lower()


def _address(text: str, option: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise UsageError(f"{option}: {text or 'nothing'} is no IP address") from None


def _same_family(source: str, destination: str) -> None:
    if (":" in _address(source, "--from")) is not (":" in destination):
        raise UsageError(f"{source} and {destination} are of different families")


def _origin(source: str, addresses: frozenset[str]) -> "Origin":
    from ..network.packet import Origin

    return Origin.NODE if ip_address(source).is_loopback or source in addresses else Origin.POD


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


# --------------------------------------------------------------------------------------------------------- what is said


def _json(found: "Walk") -> str:
    """The walk, version 1: docs/trace.md says what the fields mean."""
    import json

    packet = found.packet
    body = {
        "apiVersion": "svcdoctor.io/v1",
        "kind": "Trace",
        "packet": {
            "source": packet.source,
            "destination": packet.destination,
            "port": packet.port,
            "protocol": packet.protocol,
            "enters": packet.origin.value,
        },
        "outcomes": [_outcome(one) for one in found.outcomes],
        "notes": list(found.notes),
    }
    return json.dumps(body, indent=2) + "\n"


def _outcome(one: "Outcome") -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "share": str(one.share),
        "address": one.address,
        "port": one.port,
        "source": one.source,
        "masqueraded": one.masqueraded,
        "masqueradedBy": _hop(one.translated) if one.translated else None,
        "why": one.why,
        "hops": [_hop(hop) for hop in one.hops],
    }


def _hop(hop: "Hop") -> dict[str, str]:
    return {"hook": hop.hook, "table": hop.table, "chain": hop.chain, "rule": hop.rule, "effect": hop.effect}


def _text(found: "Walk", look: "Look", addresses_unknown: bool) -> str:
    """The way that all ends have in common, then each end with the rest of its way."""
    from ..network.packet import Kind
    from ..report.look import Ink

    packet = found.packet
    title = f"{packet.source} -> {_place(packet.destination, packet.port)}/{packet.protocol}"
    lines = [look.line(f"  enters from {packet.origin.value}", title, Ink.HEADING, indent=0), ""]
    ways = [one.hops for one in found.outcomes]
    common = _common(ways) if len(ways) > 1 else 0
    if common:
        lines += [*_hops(ways[0][:common], look), ""]
    for one in found.outcomes:
        rest = one.hops[common:]
        same = 0 if one is found.outcomes[0] else _common([rest[::-1], ways[0][common:][::-1]])
        lines += [*_end(one, packet, look), *_hops(rest[: len(rest) - same], look)]
        lines += [look.line("then as above", indent=4), ""] if same else [""]
    lines += [look.line(note, "note: ") for note in found.notes]
    if addresses_unknown and found.share(Kind.UNKNOWN):
        lines.append(look.line("it may help to say which addresses the node has: --node-address IP ...", "hint: "))
    return "\n".join(lines).rstrip("\n") + "\n"


def _end(one: "Outcome", packet: "Packet", look: "Look") -> list[str]:
    from ..report.look import Ink

    inks = {"endpoint": Ink.PASS, "local": Ink.PASS, "routed": Ink.WARN, "unknown": Ink.UNKNOWN}
    head = f"{_percent(one.share)} {SAID[one.kind.value].format(place=_place(one.address, one.port))}"
    lines = [look.line(f": {one.why}" if one.why else "", head, inks.get(one.kind.value, Ink.FAIL), indent=0, hang=2)]
    if one.kind.value in ("endpoint", "local", "routed"):
        if one.translated:
            seen = one.source or "the node's address"
            lines.append(look.line(f"sees {seen}, not the client's: {one.translated.rule}", hang=2))
        else:
            lines.append(look.line(f"sees the client's address, {packet.source}"))
    return lines


SAID = {
    "endpoint": "to endpoint {place}",
    "local": "to a process of the node, {place}",
    "routed": "leaves the node untranslated, to {place}",
    "reject": "refused",
    "drop": "dropped",
    "unreachable": "unreachable",
    "unknown": "not known",
}


def _hops(hops: "Sequence[Hop]", look: "Look") -> list[str]:
    lines: list[str] = []
    for hop in hops:
        where = f"{hop.hook:<11} {f'{hop.table} {hop.chain}'.strip()}: "
        lines.append(look.line(hop.effect, where, indent=4, hang=2))
        if hop.rule:
            lines.append(look.line(hop.rule, indent=8, hang=2))
    return lines


def _common(ways: "Sequence[Sequence[Hop]]") -> int:
    """How many hops all ways have in common at their beginning."""
    count = 0
    for hops in zip(*ways, strict=False):
        if any(hop != hops[0] for hop in hops):
            break
        count += 1
    return count


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):5.1f}%"


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address or 'the interface it came by'}:{port}"
