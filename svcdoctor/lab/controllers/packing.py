"""How endpoints are spread over slices: at most 100 in each, and as few slices changed as can be.

Source: k8s.io/endpointslice/reconciler.go, reconcileByPortMapping.
"""

from typing import Any

Json = dict[str, Any]

FULL = 100
"""--max-endpoints-per-slice."""


def pack(slices: list[Json], desired: list[Json], full: int = FULL) -> tuple[list[Json], list[list[Json]]]:
    """The existing slices of one set of ports with their endpoints as wanted, and the endpoints of new ones.

    An endpoint stays in its slice. New ones go first to slices that change anyway, the fullest first, then to an
    unchanged slice that has room for all that is left. A slice that comes out empty is to be deleted.
    """
    wanted = {identity(endpoint): endpoint for endpoint in desired}
    kept: list[Json] = []
    for existing in slices:
        stay = [wanted.pop(identity(e)) for e in existing["endpoints"] or () if identity(e) in wanted]
        kept.append({**existing, "endpoints": stay})
    left = list(wanted.values())
    changed = [now for old, now in zip(slices, kept, strict=True) if now["endpoints"] != (old["endpoints"] or [])]
    for now in sorted(changed, key=lambda each: -len(each["endpoints"])):
        room = full - len(now["endpoints"])
        now["endpoints"] += left[:room]
        left = left[room:]
    fitting = [now for now in kept if now not in changed and 0 < len(left) <= full - len(now["endpoints"])]
    if fitting:
        max(fitting, key=lambda each: len(each["endpoints"]))["endpoints"] += left
        left = []
    return kept, [left[start : start + full] for start in range(0, len(left), full)]


def identity(endpoint: Json) -> tuple[str, str]:
    """What makes it the same endpoint: its address and its pod."""
    return endpoint["addresses"][0], (endpoint.get("targetRef") or {}).get("uid", "")
