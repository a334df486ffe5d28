"""What the kubelet says of a failed probe, by its meaning (pkg/kubelet/prober, pkg/probe)."""

import re
from enum import Enum

STATUS_CODE = re.compile(r"statuscode: (\d{3})")


class Failure(Enum):
    """How a probe failed."""

    REFUSED = "the connection was refused"
    TIMED_OUT = "no answer came in time"
    TOO_SLOW = "it was asked, but did not answer in time"
    UNREACHABLE = "the address could not be reached"
    NOT_THERE = "the application answers, but not on this path or not to this request"
    SAYS_NO = "the application itself says that it is not ready"
    OTHER_SCHEME = "the port speaks HTTPS where HTTP is asked, or the reverse"
    NO_COMMAND = "the command of the probe does not exist in the container"
    NO_PORT = "the probe names a port that the container does not have"
    NO_HOST = "the probe's host does not resolve"
    UNCLEAR = "the message does not tell"


PATTERNS: tuple[tuple[str, Failure], ...] = (
    (r"server gave HTTP response to HTTPS client|malformed HTTP response|tls: first record", Failure.OTHER_SCHEME),
    (r"strconv\.Atoi|couldn't find port|could not find port|no port named|unable to find port", Failure.NO_PORT),
    (
        r"executable file not found|OCI runtime exec failed|command not found"
        r'|exec: "[^"]*": stat |sh: (\d+: )?\S+: not found',
        Failure.NO_COMMAND,
    ),
    (r"no such host|server misbehaving", Failure.NO_HOST),
    (r"connection refused", Failure.REFUSED),
    (r"no route to host|network is unreachable|host is down", Failure.UNREACHABLE),
    (r"Unimplemented|unknown service|rpc error: code = NotFound", Failure.NOT_THERE),
    (r"NOT_SERVING|service unhealthy", Failure.SAYS_NO),
    (r"awaiting headers|reading body|command timed out|command .* timed out after", Failure.TOO_SLOW),
    (r"deadline exceeded|Client\.Timeout|i/o timeout|timed out|timeout:", Failure.TIMED_OUT),
)
REQUEST_IS_WRONG = frozenset({400, 401, 403, 404, 405, 406, 415, 421, 426})
"""Answers that speak of the request. The others, 5xx above all, speak of the application."""


def meaning(message: str) -> Failure:
    """The failure that an Unhealthy event speaks of."""
    code = STATUS_CODE.search(message)
    if code:
        return Failure.NOT_THERE if int(code[1]) in REQUEST_IS_WRONG else Failure.SAYS_NO
    for pattern, failure in PATTERNS:
        if re.search(pattern, message):
            return failure
    return Failure.UNCLEAR
