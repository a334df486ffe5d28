"""A Snapshot on disk, layout v1: a folder or one .tar.gz.

::

    meta.json                            when, of which cluster, by what
    api/<raw API path>.json              what the API server answered: an object, a list, a 404 Status
    api/<raw API path>%3F<query>.json    a list that was narrowed; the query is percent-encoded, and split over folders
                                         where it is longer than a file's name may be
    logs/<namespace>/<pod>/<container>.txt
    nodes/, pods/, dns.json              what was observed beside the objects (`observed`)
    gaps.json                            what could not be read, and why

`save` takes every secret out (`redact`). `load` trusts nothing (`files`), and takes what a person saved with
``kubectl get --raw`` or ``-o json`` as well as its own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct, structs

from .. import __version__, files, redact
from ..errors import BadData, CouldNotLook
from ..model.decode import decode
from ..model.foreign import holds_policies
from ..model.meta import Time
from ..model.snapshot import Answer, Gap, Snapshot, assemble, locate
from . import observed

API_VERSION = "svcdoctor.io/v1"
KIND = "Snapshot"
QUERY_MARK = "%3F"
NAME_LENGTH = 200  # of the 255 bytes that file systems allow
PART = re.compile(
    r"(?:(?P<top>[^/]+)/)??(?P<name>meta\.json|gaps\.json|api/(?P<api>.+)\.json"
    rf"|logs/(?P<namespace>[^/]+)/(?P<pod>[^/]+)/(?P<container>[^/]+)\.txt|{observed.NAMES})"
)
"""A file of the layout that is read; in an archive it may stand under one folder."""

NO_SNAPSHOT = (
    "a snapshot is a folder or a .tar.gz with meta.json and api/, as svcdoctor snapshot writes it; by hand: "
    "kubectl get --raw /api/v1/namespaces/NS/pods > api/api/v1/namespaces/NS/pods.json"
)
UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)


class Meta(Struct, frozen=True, rename="camel"):
    """meta.json: of what a snapshot was taken, when and by which program."""

    api_version: str = API_VERSION
    kind: str = KIND
    taken_at: Time | None = None
    context: str = ""
    server: str = ""
    namespace: str = "default"
    tool: str = ""


# -------------------------------------------------------------------------------------------------------------- saving


def save(destination: Path, snapshot: Snapshot, answers: Iterable[Answer]) -> None:
    """Write ``snapshot``, which was made of ``answers``, without any secret: one .tar.gz if named so, else a folder.

    Raises UsageError and CouldNotLook for a place where that can't be, BadData for an answer that is not JSON.
    """
    whole: dict[str, bytes] = {}
    gaps = [structs.replace(gap, why=redact.text(gap.why)) for gap in snapshot.gaps]
    for (path, query), pages in _lists(answers).items():
        body = _document(path, pages)
        if body is None:
            gaps.append(Gap(path, "never saved: it may hold secrets"))
        else:
            whole[_api_name(path, query)] = body
    for (namespace, pod, container), log in snapshot.logs.items():
        whole[f"logs/{namespace}/{pod}/{container}.txt"] = redact.text(log).encode(errors="replace")
    whole |= observed.files(snapshot)
    meta = Meta(
        taken_at=snapshot.taken_at,
        context=snapshot.context,
        server=redact.text(snapshot.server),
        namespace=snapshot.namespace,
        tool=f"svcdoctor {__version__}",
    )
    whole["meta.json"] = msgspec.json.encode(meta)
    whole["gaps.json"] = msgspec.json.encode(gaps)
    files.write(destination, whole, snapshot.taken_at)


def _lists(answers: Iterable[Answer]) -> Mapping[tuple[str, str], list[Answer]]:
    """The answers by what was asked; the pages of one list together."""
    found: dict[tuple[str, str], list[Answer]] = {}
    for answer in answers:
        found.setdefault((answer.path, answer.query), []).append(answer)
    return found


def _document(path: str, pages: list[Answer]) -> bytes | None:
    """One redacted document of all ``pages``; None if such things are never saved."""
    place = locate(path)
    service = place is not None and place[0].kind == "Service"
    items: list[msgspec.Raw] = []
    document: dict[str, Any] = {}
    for page in pages:
        document = decode(page.body, dict[str, Any], page.source)
        if not redact.admits(path, document):
            return None
        try:
            document = redact.document(document, service)
            items += (msgspec.Raw(msgspec.json.encode(item)) for item in document.get("items") or ())
        except RecursionError:
            raise BadData(page.source, "is nested too deeply") from None
    if "items" in document:
        document["items"] = items
    if not all(page.complete for page in pages):
        document["metadata"] = {**(document.get("metadata") or {}), "continue": "not read"}
    return msgspec.json.encode(document)


def _api_name(path: str, query: str) -> str:
    if not query:
        return f"api/{path}.json"
    name = quote(query, safe="")
    pieces = (name[start : start + NAME_LENGTH] for start in range(0, len(name), NAME_LENGTH))
    return f"api/{path}{QUERY_MARK}{'/'.join(pieces)}.json"


# ------------------------------------------------------------------------------------------------------------- loading


def load(source: Path) -> Snapshot:
    """The snapshot in the folder or .tar.gz ``source``. Whatever it lacks is a gap.

    Where it doesn't say when it was taken, the newest time in its objects stands in; without any, 1970 does. Raises
    UsageError where there is nothing, CouldNotLook where there is no snapshot, BadData that names a file which is not
    what its place says.
    """
    parts = _parts(source)
    meta = _meta(source, parts.pop("meta.json", None))
    gaps = _decode(source, "gaps.json", parts.pop("gaps.json", b"[]"), tuple[Gap, ...])
    answers = [_answer(source, name, body) for name, body in parts.items() if name.startswith("api/")]
    empty = tuple(Gap(answer.path, "its file is empty") for answer in answers if not answer.body)
    bare = Snapshot(
        taken_at=meta.taken_at or UNKNOWN_TIME,
        context=meta.context,
        server=meta.server,
        namespace=meta.namespace,
        logs=_logs(parts),
        gaps=gaps + empty,
    )
    snapshot = assemble(observed.read(bare, source, parts), (answer for answer in answers if answer.body))
    if meta.taken_at:
        return snapshot
    why = "not said; the newest time in the objects stands in"
    return structs.replace(
        snapshot,
        taken_at=max(filter(_plausible, _times(snapshot))).astimezone(UTC),
        gaps=(*snapshot.gaps, Gap("meta.json: takenAt", why)),
    )


def _parts(source: Path) -> dict[str, bytes]:
    """The files of the layout that are read, by their names in it."""
    top = files.top(source)
    if top is not None and not {"meta.json", "api"} & top:
        raise CouldNotLook(f"{source} is no snapshot", NO_SNAPSHOT)
    found = {}
    tops = set()
    for name, body in files.read(source, _is_part).items():
        if match := PART.fullmatch(name):
            tops.add(match["top"])
            found[match["name"]] = body
    if len(tops) > 1:
        raise BadData(str(source), "holds more than one snapshot", "unpack it, and name one of them")
    if "meta.json" not in found and not any(name.startswith("api/") for name in found):
        raise CouldNotLook(f"{source} is no snapshot", NO_SNAPSHOT)
    return found


def _is_part(name: str) -> bool:
    match = PART.fullmatch(name)
    if match is None or match["api"] is None:
        return match is not None
    path = _api_path(match["name"])[0]
    return locate(path) is not None or holds_policies(path)


def _api_path(name: str) -> tuple[str, str]:
    """The API path and the query of a file under api/."""
    path, _, query = name.removeprefix("api/").removesuffix(".json").partition(QUERY_MARK)
    return path, unquote(query.replace("/", ""))


def _decode(source: Path, name: str, body: bytes, type: type[Any]) -> Any:
    return decode(body, type, f"{source}/{name}")


def _meta(source: Path, body: bytes | None) -> Meta:
    if body is None:
        return Meta()
    meta: Meta = _decode(source, "meta.json", body, Meta)
    where = f"{source}/meta.json"
    if (meta.api_version, meta.kind) != (API_VERSION, KIND):
        advice = f"this svcdoctor reads {KIND} {API_VERSION}; another version of it may read yours"
        raise BadData(where, f"says that it is {meta.kind!r} {meta.api_version!r}", advice)
    if meta.taken_at and not _plausible(meta.taken_at):
        raise BadData(where, f"takenAt can't be {meta.taken_at.isoformat()}")
    return meta


def _plausible(time: datetime) -> bool:
    """Far enough from the ends of the calendar for clock arithmetic. Go's zero time, year 1, means "not set"."""
    return 1970 <= time.year < 9999


def _answer(source: Path, name: str, body: bytes) -> Answer:
    path, query = _api_path(name)
    return Answer(path, body.strip(), query, file=f"{source}/{name}")


def _logs(parts: Mapping[str, bytes]) -> dict[tuple[str, str, str], str]:
    matches = ((PART.fullmatch(name), body) for name, body in parts.items() if name.startswith("logs/"))
    return {
        (match["namespace"], match["pod"], match["container"]): body.decode(errors="replace")
        for match, body in matches
        if match
    }


def _times(value: Any) -> Iterator[datetime]:
    """Every time that something in ``value`` happened. A deletionTimestamp lies ahead, by the grace period."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            if name != "deletion_timestamp":
                yield from _times(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _times(item)
