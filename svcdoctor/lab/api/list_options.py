"""What the query of a list or watch asks for, and which of it contradicts itself (meta/internalversion/validation)."""

from collections.abc import Mapping

from msgspec import Struct

from .paths import is_true
from .status import bad_request, invalid_kind
from .validate_errors import FieldError, forbidden, not_supported

EXACT = "Exact"
NOT_OLDER_THAN = "NotOlderThan"


class ListOptions(Struct, frozen=True):
    """metav1.ListOptions without its selectors. ``revision`` is None where no resourceVersion is given."""

    limit: int = 0
    token: str = ""
    revision: int | None = None
    match: str = ""
    timeout: int = 0
    bookmarks: bool = False
    initial_events: bool | None = None

    @property
    def is_legacy(self) -> bool:
        """A watch that begins anywhere: it is told what there is first."""
        return not self.revision


def list_options(query: Mapping[str, str], watch: bool) -> ListOptions:
    """Raises Refusal (400, 422)."""
    initial = query.get("sendInitialEvents")
    options = ListOptions(
        limit=_integer(query, "limit"),
        token=query.get("continue", ""),
        revision=_revision(query.get("resourceVersion", "")),
        match=query.get("resourceVersionMatch", ""),
        timeout=_integer(query, "timeoutSeconds"),
        bookmarks="allowWatchBookmarks" in query and is_true(query["allowWatchBookmarks"]),
        initial_events=None if initial is None else is_true(initial),
    )
    if errors := _watch_errors(options) if watch else _list_errors(options):
        raise invalid_kind("meta.k8s.io", "ListOptions", "", errors)
    if options.token and options.revision and not watch:
        raise bad_request("specifying resource version is not allowed when using continue")
    return options


def _integer(query: Mapping[str, str], name: str) -> int:
    text = query.get(name) or "0"
    if not (text.removeprefix("-").isascii() and text.removeprefix("-").isdigit()):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _revision(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        error = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise bad_request(f'resourceVersion: Invalid value: "{text}": {error}')
    return int(text)


def _list_errors(options: ListOptions) -> list[FieldError]:
    errors: list[FieldError] = []
    field = "resourceVersionMatch"
    if options.match:
        if options.revision is None:
            errors.append(forbidden(field, f"{field} is forbidden unless resourceVersion is provided"))
        if options.token:
            errors.append(forbidden(field, f"{field} is forbidden when continue is provided"))
        if options.match not in (EXACT, NOT_OLDER_THAN):
            errors.append(not_supported(field, options.match, (EXACT, NOT_OLDER_THAN, "")))
        if options.match == EXACT and options.revision == 0:
            errors.append(forbidden(field, f'{field} "exact" is forbidden for resourceVersion "0"'))
    if options.initial_events is not None:
        errors.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return errors


def _watch_errors(options: ListOptions) -> list[FieldError]:
    errors: list[FieldError] = []
    field = "resourceVersionMatch"
    if options.initial_events is not None and options.match != NOT_OLDER_THAN:
        errors.append(forbidden(field, f"sendInitialEvents requires setting {field} to {NOT_OLDER_THAN}"))
    if options.match:
        if options.initial_events is None:
            errors.append(forbidden(field, f"{field} is forbidden for watch unless sendInitialEvents is provided"))
        if options.match != NOT_OLDER_THAN:
            errors.append(not_supported(field, options.match, (NOT_OLDER_THAN,)))
        if options.token:
            errors.append(forbidden(field, f"{field} is forbidden when continue is provided"))
    return errors
