"""What the cells of all tables have in common: ages, labels, lists that are cut short.

Source: apimachinery/pkg/util/duration, pkg/printers/internalversion/printers.go.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..clock import parse_stamp
from .selectors import requirements_of, selector_text

Json = dict[str, Any]
Cells = list[Any]

NONE, UNKNOWN, UNSET = "<none>", "<unknown>", "<unset>"
MOST = 3
"""Items of a list that are shown."""


def human_duration(lasted: timedelta) -> str:
    """Two units at most, the finer one only while it matters."""
    seconds = int(lasted.total_seconds())
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 2920 else f"{days // 365}y"


def _two(first: int, unit: str, second: int, finer: str) -> str:
    return f"{first}{unit}{second}{finer}" if second else f"{first}{unit}"


def since(stamp: str | None, now: datetime) -> str:
    """How long ago a metav1.Time or MicroTime was."""
    return human_duration(now - parse_stamp(stamp)) if stamp else UNKNOWN


def age(item: Json, now: datetime) -> str:
    return since(item["metadata"].get("creationTimestamp"), now)


def name(item: Json) -> str:
    found: str = item["metadata"].get("name", "")
    return found


def labels_text(labels: Mapping[str, str] | None) -> str:
    """As labels.Set prints: sorted, and <none> where there are none."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_cell(selector: Json | None) -> str:
    """A metav1.LabelSelector."""
    return selector_text(requirements_of(selector)) or NONE


def shortened(found: Sequence[str], most: int = MOST) -> str:
    """The first few, and how many more there are."""
    shown = ",".join(found[:most])
    return f"{shown} + {len(found) - most} more..." if len(found) > most else shown


def container_cells(template: Json) -> tuple[str, str]:
    """Names and images of a pod template's containers."""
    containers = (template.get("spec") or {}).get("containers") or ()
    return joined(one.get("name", "") for one in containers), joined(one.get("image", "") for one in containers)


def joined(found: Iterable[str]) -> str:
    return ",".join(found)


def part(item: Json, *steps: str) -> Json:
    """A part of an object; empty where it is absent."""
    found: Any = item
    for step in steps:
        found = found.get(step) or {}
    result: Json = found
    return result
