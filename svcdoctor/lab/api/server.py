"""The API server: one aiohttp application that answers as Kubernetes 1.36 does.

Each request meets the misbehaviours that are set, passes the gate, and goes to the handler of its verb.
"""

import asyncio

from aiohttp import hdrs, web

from ..store import Store
from .access import Access
from .allocate import Ranges
from .answers import Answer, refusal_answer, send
from .calls import LONGEST, Call
from .control import Control, Controls
from .gate import Gate
from .kubelets import Kubelets
from .misbehave import Misbehaviour, Misbehaviours
from .open_streams import OpenStreams
from .paths import RequestInfo, request_info
from .routing import Routes
from .status import Refusal, expired, too_many_requests, unauthorized

REINITIALIZING = "storage is (re)initializing"
"""Why a real server asks for patience in a Status."""
UNLIMITED = ("exec", "attach", "portforward", "log", "proxy")
"""Subresources that no priority level limits."""


class ApiServer:
    """Serves a store. It belongs to the loop's thread, as all that it is given."""

    def __init__(
        self,
        store: Store,
        access: Access,
        kubelets: Kubelets,
        ranges: Ranges,
        controls: Controls | None = None,
        address: str = "127.0.0.1:6443",
    ) -> None:
        """``address`` is what discovery tells clients to use."""
        self.access = access
        self.misbehaviours = Misbehaviours()
        self._streams = OpenStreams()
        self._gate = Gate(access)
        self._control = Control(access, controls or {}, self.misbehaviours)
        self._routes = Routes(store, access, kubelets, ranges, self._streams, address)

    def app(self) -> web.Application:
        """The application; run it with ``handler_cancellation`` so that exec ends when its client goes."""
        app = web.Application(client_max_size=LONGEST)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_shutdown.append(self._shut_down)
        app.on_response_prepare.append(_anonymous)
        return app

    async def _shut_down(self, app: web.Application) -> None:
        await self._streams.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Whatever goes wrong on purpose is a Refusal, and a Refusal is an answer."""
        self._streams.note(request.transport)
        info = request_info(request.method, request.path, request.query)
        if self._control.owns(request.path):
            return await send(request, await self._controlled(request), "")
        met, flow = self.misbehaviours.met_by(info), ""
        answer: Answer | web.StreamResponse
        try:
            await self._misbehave(met, info, request)
            user = self._gate.identify(request)
            call = Call(request=request, info=info, user=user, misbehaviours=met)
            flow = "" if info.subresource in UNLIMITED else call.flow
            self._gate.authorize(user, info)
            answer = await self._routes.handler(info)(call)
        except Refusal as refusal:
            answer = refusal_answer(refusal)
        if isinstance(answer, web.StreamResponse):
            return answer
        return await send(request, answer, flow, _of(met, "garbage", "truncate", "drop"))

    async def _controlled(self, request: web.Request) -> Answer:
        try:
            return await self._control.answer(request)
        except Refusal as refusal:
            return refusal_answer(refusal)

    async def _misbehave(self, met: tuple[Misbehaviour, ...], info: RequestInfo, request: web.Request) -> None:
        """What goes wrong before anybody looks at the request. Raises Refusal: 401, 410, 429."""
        if slow := _of(met, "slow"):
            await asyncio.sleep(slow.seconds)
        if throttled := _of(met, "throttle"):
            raise too_many_requests(max(1, round(throttled.seconds)), REINITIALIZING)
        if _of(met, "expire"):
            raise unauthorized()
        if _of(met, "gone") and info.verb == "list" and request.query.get("continue"):
            raise expired()
        if _of(met, "half-open") and info.verb != "watch":
            with self._streams.entered():
                await asyncio.Event().wait()


def _of(met: tuple[Misbehaviour, ...], *deeds: str) -> Misbehaviour | None:
    return next((one for one in met if one.deed in deeds), None)


async def _anonymous(request: web.Request, response: web.StreamResponse) -> None:
    """The real server does not say what it is written in."""
    response.headers.popall(hdrs.SERVER, None)
