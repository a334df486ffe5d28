"""The lab's own paths, /lab/NAME: what can be done to the cluster from outside, by its administrator alone.

POST sends the arguments as a JSON object, GET as the query; the answer is JSON.
"""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from aiohttp import web

from ...errors import SvcdoctorError
from .access import MASTERS, Access, Denial, User
from .answers import Answer, json_answer
from .misbehave import Misbehaviour, Misbehaviours
from .status import Refusal, bad_request, failure, forbidden_path, method_not_allowed, unauthorized

PREFIX = "/lab"
Controls = Mapping[str, Callable[..., Any]]
"""By name what can be done. Keyword arguments in, JSON out; may be a coroutine function."""


class Control:
    """Calls what is asked for."""

    def __init__(self, access: Access, controls: Controls, misbehaviours: Misbehaviours) -> None:
        self._access = access
        self._controls = {**_own(access, misbehaviours), **controls}

    @staticmethod
    def owns(path: str) -> bool:
        return path == PREFIX or path.startswith(f"{PREFIX}/")

    async def answer(self, request: web.Request) -> Answer:
        """Raises Refusal: 400 for arguments that do not fit, 401, 403, 404, 405."""
        self._admit(request)
        name = request.path.removeprefix(PREFIX).strip("/")
        if not name:
            return json_answer({"controls": sorted(self._controls)})
        control = self._controls.get(name)
        if control is None:
            raise _unknown(name, self._controls)
        arguments = await _arguments(request)
        try:
            inspect.signature(control).bind(**arguments)
            found = control(**arguments)
            return json_answer(await found if inspect.isawaitable(found) else found)
        except (SvcdoctorError, TypeError, ValueError, LookupError) as error:
            raise bad_request(str(error.args[0] if error.args else error)) from None

    def _admit(self, request: web.Request) -> None:
        user: User | None = self._access.known(request.headers.get("Authorization"))
        if user is None:
            raise unauthorized()
        if MASTERS not in user.groups:
            raise forbidden_path(user.name, request.method.lower(), request.path)


async def _arguments(request: web.Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    if request.method != "POST":
        raise method_not_allowed()
    body = await request.read()
    try:
        return msgspec.json.decode(body, type=dict[str, Any]) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"the arguments are no JSON object: {error}") from None


def _unknown(name: str, controls: Controls) -> Refusal:
    near = get_close_matches(name, controls, 1)
    message = f'the lab has no "{name}"' + (f', but "{near[0]}"' if near else "")
    return Refusal(404, failure(404, "NotFound", message))


def _own(access: Access, misbehaviours: Misbehaviours) -> dict[str, Callable[..., Any]]:
    """What the server itself lets be done."""

    def misbehave(**given: Any) -> dict[str, Any]:
        misbehaviours.set(msgspec.convert(given, Misbehaviour, strict=False))
        return {}

    def behave() -> dict[str, Any]:
        misbehaviours.clear()
        access.lift()
        return {}

    def deny(**given: Any) -> dict[str, Any]:
        access.deny(msgspec.convert(given, Denial, strict=False))
        return {}

    return {"misbehave": misbehave, "behave": behave, "deny": deny}
