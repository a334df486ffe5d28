"""svcdoctor policy: may this client's packets pass, and which rules decide?"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Option

from ..errors import CouldNotLook, ExitCode, UsageError
from . import console
from .options import NoColor, ServiceName, Source
from .target import parse

if TYPE_CHECKING:
    from ..model.case import Case
    from ..report import Look
    from ..steps.policy.trace import Packet, Trace

Client = Annotated[str, Argument(metavar="CLIENT", show_default=False, help="POD, NAMESPACE/POD or node/NAME.")]
Output = Annotated[Literal["terminal", "json"], Option("--output", "-o", metavar="FORMAT", help="terminal or json.")]


def policy(
    client: Client, name: ServiceName, source: Source, output: Output = "terminal", no_color: NoColor = False
) -> ExitCode:
    """Show which policies decide on the way to a Service.

    Every endpoint on its own port, both directions, and the client's questions to the name servers.

    Exit codes: 0 nothing is denied, 1 something is, 2 usage, 3 could not look, 4 internal error, 130 interrupted.
    """
    asked = parse(name, source.namespace)

    from ..steps.policy.trace import trace
    from .reading import read
    from .screen import look

    case = read(source, asked, client)
    found = trace(case)
    if found is None:
        raise _missing(case)
    console.write(_as_json(case, found) if output == "json" else "\n".join(_screen(case, found, look(no_color))) + "\n")
    if any(packet.denied for packet in (*found.service, *found.dns)):
        return ExitCode.FINDINGS
    return ExitCode.COULD_NOT_LOOK if found.gaps else ExitCode.OK


def _missing(case: "Case") -> CouldNotLook | UsageError:
    """Why there is nothing to show: an end of the way is not there, or was not read."""
    from ..steps.policy import client_end

    if case.unread is not None:
        return CouldNotLook(f"the Service could not be read: {case.unread.why}", _grant(case.unread.permission))
    if case.service is None:
        return UsageError(f"there is no Service {case.target.name} in namespace {case.target.namespace}")
    _, gaps = client_end(case)
    gap = gaps[0]
    return CouldNotLook(f"the client could not be read: {gap.what}: {gap.why}", _grant(gap.permission))


def _grant(permission: str | None) -> str:
    return f"to grant: {permission}" if permission else ""


# ------------------------------------------------------------------------------------------------------------ terminal


def _screen(case: "Case", found: "Trace", look: "Look") -> Iterator[str]:
    from ..report.look import Ink

    target = case.target
    port = f":{target.port}" if target.port else ""
    yield look.line(f"  {found.client}", "From", Ink.HEADING, indent=0)
    yield look.line(f"    Service {target.namespace}/{target.name}{port}", "To", Ink.HEADING, indent=0)
    for title, packets in (("Service", found.service), ("Names", found.dns)):
        if packets:
            yield ""
            yield look.paint(title, Ink.HEADING)
        for group in _alike(packets):
            yield from _packets(group, look)
    yield ""
    yield look.line(_sum(found), indent=0)
    yield look.line(f"Enforced: {_enforced(found)}", indent=0)
    for kind in sorted({f"{p.kind}.{p.api_group}" for p in found.foreign}):
        yield look.line(f"Not evaluated: {kind} objects that may apply to these pods too", indent=0)
    for gap in found.gaps:
        grant = f"; {_grant(gap.permission)}" if gap.permission else ""
        yield look.line(f"Could not look: {gap.what}: {gap.why}{grant}", indent=0)


def _alike(packets: "Sequence[Packet]") -> "list[list[Packet]]":
    """Packets with the same verdict by the same rules stand together."""
    groups: dict[Any, list[Packet]] = {}
    for packet in packets:
        groups.setdefault((packet.status, packet.ways), []).append(packet)
    return list(groups.values())


def _packets(group: "Sequence[Packet]", look: "Look") -> Iterator[str]:
    from ..report.look import Ink

    inks = {"allowed": Ink.PASS, "denied": Ink.FAIL, "undefined": Ink.UNKNOWN, "not-enforced": Ink.WARN}
    for packet in group:
        yield look.line(f"  {packet.to}", f"{packet.status:<12}", inks[packet.status], hang=14)
    for way in group[0].ways:
        yield look.line(f"{way.direction:<7}  {way.status}: {way.decision}", indent=16, hang=9)
    for caveat in group[0].caveats:
        yield look.line(f"note     {caveat}", indent=16, hang=9)


def _sum(found: "Trace") -> str:
    total, denied = len(found.service), sum(packet.denied for packet in found.service)
    said = f"{total - denied} of {total} endpoints can be reached" if total else "no endpoint to reach"
    if found.dns:
        shut = sum(packet.denied for packet in found.dns)
        said += f"; {len(found.dns) - shut} of {len(found.dns)} ways to the name servers are open"
    return said


def _enforced(found: "Trace") -> str:
    plugin = found.enforcement.plugin
    return plugin.evidence.fact if plugin else "not known, no network plugin was recognized"


# ---------------------------------------------------------------------------------------------------------------- JSON


def _as_json(case: "Case", found: "Trace") -> str:
    plugin = found.enforcement.plugin
    document = {
        "apiVersion": "svcdoctor.io/v1",
        "kind": "PolicyTrace",
        "client": found.client,
        "service": {"namespace": case.target.namespace, "name": case.target.name, "port": case.target.port},
        "endpoints": [_packet_json(packet) for packet in found.service],
        "dns": [_packet_json(packet) for packet in found.dns],
        "enforced": found.enforcement.enforced.value,
        "plugin": plugin.name if plugin else None,
        "notEvaluated": sorted({f"{p.kind}.{p.api_group}" for p in found.foreign}),
        "gaps": [{"what": gap.what, "why": gap.why, "permission": gap.permission} for gap in found.gaps],
    }
    return json.dumps(document, indent=2) + "\n"


def _packet_json(packet: "Packet") -> dict[str, Any]:
    ways = {
        way.direction: {"status": way.status, "decision": way.decision, "isolatedBy": list(way.policies)}
        for way in packet.ways
    }
    return {"to": packet.to, "status": packet.status, **ways, "caveats": list(packet.caveats)}
