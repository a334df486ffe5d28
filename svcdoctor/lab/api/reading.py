"""Lists as the API server makes them: consistent pages of one revision, straight from the stored bytes."""

import base64
import binascii
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from ..resources import Resource
from ..store import Gone, Key, Store, Stored
from .go_json import complaint
from .list_options import EXACT, ListOptions
from .selection import Selection
from .status import bad_request, expired, timeout

Json = dict[str, Any]

TOKEN_VERSION = "meta.k8s.io/v1"
INCONSISTENT = -1  # the revision of a token that goes on from whatever is there now
BATCH = 100  # objects that leave at once
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class Token(Struct, frozen=True):
    """A continue token. ``start`` is a key below the list's own prefix; its NUL means: what comes after it."""

    v: str = ""
    rv: int = 0
    start: str = ""


class Page(Struct, frozen=True):
    """One answer to a list. ``remaining`` is None where the real server does not count."""

    revision: int
    objects: Sequence[Stored]
    token: str = ""
    remaining: int | None = None

    def metadata(self) -> Json:
        """The list's metadata, in the server's order."""
        meta: Json = {"resourceVersion": str(self.revision)}
        if self.token:
            meta["continue"] = self.token
        if self.remaining is not None:
            meta["remainingItemCount"] = self.remaining
        return meta


def list_page(store: Store, resource: Resource, selection: Selection, options: ListOptions) -> Page:
    """The objects that are asked for. Raises Refusal: 400, 410 for a forgotten revision, 504 for a future one."""
    if options.token:
        token = _decode(options.token)
        after, asked = _key(token.start, selection.namespace), token.rv
        revision = store.revision if asked == INCONSISTENT else asked
    else:
        after, revision = None, _starting_revision(store, options)
    try:
        held = _held(store, resource, selection.namespace, revision)
    except Gone:
        raise _too_old(options, selection.namespace) from None
    rest = held if after is None else held[bisect_left(held, after, key=lambda stored: stored.key) :]
    return _cut(rest, selection, options.limit, revision)


def _starting_revision(store: Store, options: ListOptions) -> int:
    """Today's, unless one is asked for exactly: by name, or by the old rule that a limit pins it."""
    asked = options.revision or 0
    if asked > store.revision:
        refusal = timeout(f"Too large resource version: {asked}, current: {store.revision}", 1)
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        assert isinstance(refusal.body, dict)
        refusal.body["details"] = {"causes": [cause], "retryAfterSeconds": 1}
        raise refusal
    exact = options.match == EXACT or (not options.match and options.limit > 0)
    return asked if asked and exact else store.revision


def _held(store: Store, resource: Resource, namespace: str, revision: int) -> Sequence[Stored]:
    if revision == store.revision:
        return store.list(resource, namespace)
    return store.list_at(resource, namespace, revision)


def _cut(rest: Sequence[Stored], selection: Selection, limit: int, revision: int) -> Page:
    if limit <= 0:
        return Page(revision, list(selection.of(rest)))
    chosen = list(islice(selection.of(rest), limit + 1))
    if len(chosen) <= limit:
        return Page(revision, chosen)
    page = chosen[:limit]
    remaining = None if selection.is_narrowed else len(rest) - limit
    return Page(revision, page, _encode(revision, page[-1].key, selection.namespace), remaining)


# -------------------------------------------------------------------------------------------------------------- tokens


def _encode(revision: int, last: Key, namespace: str) -> str:
    namespaced, name = last
    start = f"{namespaced}/{name}" if namespaced and not namespace else name
    return _packed(Token(TOKEN_VERSION, revision, start + "\0"))


def _packed(token: Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).rstrip(b"=").decode()


def _decode(text: str) -> Token:
    """Raises Refusal (400) in the words of storage/continue.go."""
    invalid = "invalid continue token: continue key is not valid"
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise bad_request(f"{invalid}: illegal base64 data at input byte {_first_illegal(text)}") from None
    try:
        token = msgspec.json.decode(raw, type=Token)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise bad_request(f"{invalid}: {complaint(raw)}") from None
    if token.v != TOKEN_VERSION:
        raise bad_request(f'{invalid}: server does not recognize this encoded version "{token.v}"')
    if token.rv == 0:
        raise bad_request(f"{invalid}: incorrect encoded start resourceVersion (version {TOKEN_VERSION})")
    if not token.start:
        raise bad_request(f"{invalid}: encoded start key empty (version {TOKEN_VERSION})")
    return token


def _first_illegal(text: str) -> int:
    legal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return next((index for index, character in enumerate(text) if character not in legal), len(text))


def _key(start: str, namespace: str) -> Key:
    """The first key of the next page; a NUL sorts before all that a name may hold."""
    place, _, name = start.rpartition("/")
    return namespace or place, name


def _too_old(options: ListOptions, namespace: str) -> Exception:
    """410. What began with a token may go on without consistency, and is told how."""
    if not options.token:
        return expired()
    refusal = expired(TOO_OLD)
    assert isinstance(refusal.body, dict)
    start = _decode(options.token).start
    refusal.body["metadata"] = {"continue": _packed(Token(TOKEN_VERSION, INCONSISTENT, start))}
    return refusal


# --------------------------------------------------------------------------------------------------------------- bytes


def list_bytes(resource: Resource, page: Page) -> Iterator[bytes]:
    """The whole list as JSON, in pieces. Its objects do not repeat their kind, so only that is cut from their bytes."""
    head = {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": page.metadata()}
    yield msgspec.json.encode(head)[:-1] + b',"items":['
    yield from _joined(item_bytes(resource, page.objects))
    yield b"]}\n"


def item_bytes(resource: Resource, objects: Iterable[Stored]) -> Iterator[bytes]:
    """Each object without its kind and apiVersion."""
    prefix = msgspec.json.encode({"apiVersion": resource.api_version, "kind": resource.kind})[:-1] + b","
    length = len(prefix)
    for stored in objects:
        body = stored.body
        yield b"{" + body[length:] if body.startswith(prefix) else _without_kind(stored)


def _without_kind(stored: Stored) -> bytes:
    kept = {key: value for key, value in stored.load().items() if key not in ("apiVersion", "kind")}
    return msgspec.json.encode(kept)


def _joined(items: Iterator[bytes]) -> Iterator[bytes]:
    comma = b""
    while batch := list(islice(items, BATCH)):
        yield comma + b",".join(batch)
        comma = b","
