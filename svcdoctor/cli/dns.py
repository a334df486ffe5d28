"""svcdoctor dns: the way of a Service's name, from the client's resolv.conf to the plugin that answers."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Option

from ..errors import CouldNotLook, ExitCode, UsageError
from . import console
from .active import USUAL_IMAGE, Active, Image, Yes, asking
from .options import ClientName, NoColor, ServiceName, Source
from .target import parse

if TYPE_CHECKING:
    from ..model.case import Case
    from ..report import Look
    from ..steps.dns.trace import Said, Trace

Output = Annotated[Literal["terminal", "json"], Option("--output", "-o", metavar="FORMAT", help="terminal or json.")]
LibcName = Annotated[
    Literal["glibc", "musl", "go"], Option("--libc", metavar="NAME", help="Who resolves: glibc, musl or go.")
]


def dns(
    name: ServiceName,
    source: Source,
    client: ClientName = None,
    libc: LibcName = "glibc",
    active: Active = False,
    yes: Yes = False,
    image: Image = USUAL_IMAGE,
    output: Output = "terminal",
    no_color: NoColor = False,
) -> ExitCode:
    """Show how a Service's name resolves.

    The client's resolv.conf, the search walk, who owns each name, and what must be answered beside what was.

    Exit codes: 0 nothing is wrong, 1 something is, 2 usage, 3 could not look, 4 internal error, 130 interrupted.
    """
    asked = parse(name, source.namespace)
    further = asking(source, active, yes, image)

    from ..steps.dns.search import Libc
    from ..steps.dns.trace import trace
    from .reading import read
    from .screen import look

    case = read(source, asked, client, further)
    found = trace(case, Libc(libc))
    if found is None:
        raise _missing(case)
    console.write(_as_json(case, found) if output == "json" else "\n".join(_screen(found, look(no_color))) + "\n")
    return _exit_code(found)


def _missing(case: "Case") -> CouldNotLook | UsageError:
    if case.unread is not None:
        grant = f"to grant: {case.unread.permission}" if case.unread.permission else ""
        return CouldNotLook(f"the Service could not be read: {case.unread.why}", grant)
    return UsageError(f"there is no Service {case.target.name} in namespace {case.target.namespace}")


def _exit_code(found: "Trace") -> ExitCode:
    from ..model.diagnosis import Severity

    if any(finding.severity is Severity.ERROR for finding in found.findings):
        return ExitCode.FINDINGS
    return ExitCode.COULD_NOT_LOOK if found.gaps else ExitCode.OK


# ------------------------------------------------------------------------------------------------------------ terminal


def _screen(found: "Trace", look: "Look") -> Iterator[str]:
    from ..report.look import Ink

    yield look.line(f"  {found.name}", "Name", Ink.HEADING, indent=0)
    yield from _section("Name servers", found.servers, look)
    if found.client:
        yield from _section(f"resolv.conf of {found.client}", _file(found), look)
    if found.walk:
        yield ""
        yield look.paint(f"{found.short} is looked up by {found.libc}, {found.queries} questions", Ink.HEADING)
        for number, tried in enumerate(found.walk, 1):
            yield look.line(f"  {tried.name}", f"{number}. {tried.fate:<9}", _ink(tried.fate), hang=13)
            if tried.fate != "unreached" and tried.said:
                yield from _answers(tried.said, look)
        for note in found.notes:
            yield look.line(note, indent=4)
    yield ""
    yield look.paint("What must be answered", Ink.HEADING)
    for said in found.records:
        yield look.line(f"  {said.expected}", f"{said.name} {said.type}", Ink.HEADING, hang=4)
        yield from _details(said, look)
    for finding in found.findings:
        yield ""
        yield look.line(f": {finding.summary}", f"{finding.severity} {finding.name}", Ink.FAIL, indent=0, hang=2)
        yield look.line(finding.fix.text, hang=2)
    for gap in found.gaps:
        grant = f"; grant: {gap.permission}" if gap.permission else ""
        yield look.line(f"Could not look: {gap.what}: {gap.why}{grant}", indent=0)


def _section(title: str, lines: tuple[str, ...], look: "Look") -> Iterator[str]:
    from ..report.look import Ink

    yield ""
    yield look.paint(title, Ink.HEADING)
    for line in lines:
        yield look.line(line, hang=2)


def _file(found: "Trace") -> tuple[str, ...]:
    lines = [found.told_why, *(f"  {line}" for line in (found.told or "").splitlines()), *found.open]
    if found.real is not None:
        lines += ["as it is", *(f"  {line}" for line in found.real.splitlines())]
        lines += [f"differs: {difference}" for difference in found.differences]
    return tuple(lines)


def _answers(pair: "tuple[Said, ...]", look: "Look") -> Iterator[str]:
    for said in pair:
        yield look.line(f" {said.expected}", f"{said.type:<4}", indent=7, hang=6)
        yield from (look.line(seen, "seen ", indent=12, hang=5) for seen in said.seen)
    owner = next((said.owner for said in pair if said.owner), "")
    yield look.line(f"{pair[0].why}" + (f" ({owner})" if owner else ""), indent=7, hang=2)


def _details(said: "Said", look: "Look") -> Iterator[str]:
    owner = f"; answered by {said.owner}" if said.owner else ""
    yield look.line(f"{said.why}{owner}", indent=4, hang=2)
    yield from (look.line(doubt, "doubt ", indent=4, hang=6) for doubt in said.doubts)
    yield from (look.line(seen, "seen  ", indent=4, hang=6) for seen in said.seen)


def _ink(fate: str) -> "Any":
    from ..report.look import Ink

    return {"answers": Ink.PASS, "stops": Ink.FAIL, "open": Ink.UNKNOWN}.get(fate, Ink.QUIET)


# ---------------------------------------------------------------------------------------------------------------- JSON


def _as_json(case: "Case", found: "Trace") -> str:
    document = {
        "apiVersion": "svcdoctor.io/v1",
        "kind": "DnsTrace",
        "service": {"namespace": case.target.namespace, "name": case.target.name},
        "client": found.client or None,
        "name": found.name,
        "servers": found.servers,
        "resolvConf": {
            "computed": found.told,
            "why": found.told_why,
            "unknown": found.open,
            "real": found.real,
            "differences": found.differences,
        }
        if found.client
        else None,
        "walk": [
            {"name": tried.name, "suffix": tried.suffix, "fate": tried.fate, "answers": [_said(s) for s in tried.said]}
            for tried in found.walk
        ],
        "libc": found.libc,
        "queries": found.queries,
        "notes": found.notes,
        "records": [_said(said) for said in found.records],
        "findings": [
            {"code": f.rule.code, "name": f.name, "severity": f.severity, "summary": f.summary} for f in found.findings
        ],
        "gaps": [{"what": gap.what, "why": gap.why, "permission": gap.permission} for gap in found.gaps],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _said(said: "Said") -> dict[str, Any]:
    return {
        "name": said.name,
        "type": said.type,
        "expected": said.expected,
        "why": said.why,
        "owner": said.owner or None,
        "doubts": said.doubts,
        "seen": said.seen,
        "differs": said.differs,
    }
