"""Which of a log's lines are asked for: the query of pods/log, and what a kubelet makes of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from ..clock import micro_stamp, parse_stamp
from .paths import is_true
from .status import bad_request, invalid_kind
from .validate_errors import FieldError, forbidden, invalid

Json = dict[str, Any]
Lines = Sequence[tuple[datetime, str]]


class LogOptions(Struct, frozen=True):
    """v1.PodLogOptions without what concerns TLS."""

    container: str = ""
    previous: bool = False
    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since_seconds: int | None = None
    since_time: datetime | None = None

    def since(self, now: datetime) -> datetime | None:
        """The moment from which lines are shown."""
        return self.since_time if self.since_seconds is None else now - timedelta(seconds=self.since_seconds)


def log_options(query: Mapping[str, str], pod: str) -> LogOptions:
    """Raises Refusal: 400, 422."""
    flags = {name: name in query and is_true(query[name]) for name in ("previous", "follow", "timestamps")}
    options = LogOptions(
        query.get("container", ""),
        **flags,
        tail_lines=_number(query, "tailLines"),
        limit_bytes=_number(query, "limitBytes"),
        since_seconds=_number(query, "sinceSeconds"),
        since_time=_moment(query.get("sinceTime")),
    )
    if errors := _errors(options):
        raise invalid_kind("", "PodLogOptions", pod, errors)
    return options


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parse_stamp(text) if text else None
    except ValueError:
        moment = None
    if text and (moment is None or moment.tzinfo is None):
        raise bad_request(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"')
    return moment


def _errors(options: LogOptions) -> list[FieldError]:
    errors: list[FieldError] = []
    for field, value, least in (
        ("tailLines", options.tail_lines, 0),
        ("limitBytes", options.limit_bytes, 1),
        ("sinceSeconds", options.since_seconds, 1),
    ):
        if value is not None and value < least:
            errors.append(invalid(field, value, f"must be greater than {'0' if least else 'or equal to 0'}"))
    if options.since_seconds is not None and options.since_time is not None:
        errors.append(forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    return errors


def chosen_container(pod: Json, asked: str) -> str:
    """The container that is meant: the one that is named, or the only one there is. Raises Refusal (400)."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    containers, inits, ephemeral = (
        [one["name"] for one in spec.get(field) or ()]
        for field in ("containers", "initContainers", "ephemeralContainers")
    )
    if asked:
        if asked not in (*containers, *inits, *ephemeral):
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(containers) == 1:
        return str(containers[0])
    if not containers:
        raise bad_request(f"a container name must be specified for pod {name}")
    message = f"a container name must be specified for pod {name}, choose one of: [{' '.join(containers)}]"
    if inits:
        message += f" or one of the init containers: [{' '.join(inits)}]"
    if ephemeral:
        message += f" or one of the ephemeral containers: [{' '.join(ephemeral)}]"
    raise bad_request(message)


def shown(lines: Lines, options: LogOptions, now: datetime) -> bytes:
    """The text of those lines that are asked for: the last ones of those since then, as many bytes as allowed."""
    since = options.since(now)
    chosen = [line for line in lines if since is None or line[0] >= since]
    if options.tail_lines is not None:
        chosen = chosen[max(len(chosen) - options.tail_lines, 0) :]
    text = "".join(_line(moment, line, options.timestamps) for moment, line in chosen).encode()
    return text if options.limit_bytes is None else text[: options.limit_bytes]


def _line(moment: datetime, line: str, timestamps: bool) -> str:
    """Nanoseconds, as the container runtime stamps them."""
    stamp = f"{micro_stamp(moment).removesuffix('Z')}000Z " if timestamps else ""
    return f"{stamp}{line}\n"
