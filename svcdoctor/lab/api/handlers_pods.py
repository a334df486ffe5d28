"""What reaches into a pod: log, exec, attach and port-forward."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

from aiohttp import hdrs, web

from ..resources import named
from ..store import Store
from .access import Access, Attributes
from .answers import Answer, common_headers
from .calls import Call
from .following import Attached, followed, running_id
from .kubelets import Kubelets
from .open_streams import OpenStreams
from .pod_logs import LogOptions, chosen_container, log_options, shown
from .status import bad_request, forbidden, not_found
from .streams.conversation import Start
from .streams.forwarding import refused
from .streams.negotiation import is_websocket
from .streams.options import exec_options
from .streams.portforward import port_forward
from .streams.process import Process
from .streams.remotecommand import exec_

Json = dict[str, Any]

PODS = named("pods")
TEXT: dict[str, str] = {hdrs.CONTENT_TYPE: "text/plain"}


class Pods:
    """The connections to pods that go through the API server."""

    def __init__(self, store: Store, access: Access, kubelets: Kubelets, streams: OpenStreams) -> None:
        self._store = store
        self._access = access
        self._kubelets = kubelets
        self._streams = streams

    async def log(self, call: Call) -> Answer | web.StreamResponse:
        """pods/log. Raises Refusal: 400, 404, 422."""
        options = log_options(call.query, call.info.name)
        pod = self._pod(call)
        container = chosen_container(pod, options.container)
        if not pod["spec"].get("nodeName"):
            return Answer(204, ())
        lines = self._kubelets.log(pod, container, options.previous)
        text = shown(lines, options, self._store.clock.now)
        if not options.follow or options.previous or not running_id(pod, container):
            return Answer(200, (text,), TEXT)
        with self._streams.entered():
            return await self._follow(call, pod, container, options, text, len(lines))

    async def _follow(
        self, call: Call, pod: Json, container: str, options: LogOptions, text: bytes, told: int
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={**common_headers(""), **TEXT})
        response.enable_chunked_encoding()
        await response.prepare(call.request)
        await response.write(text)
        left = None if options.limit_bytes is None else options.limit_bytes - len(text)
        async for lines in followed(self._store, self._kubelets, pod, container, told):
            if left is not None and left <= 0:
                break
            more = shown(lines, LogOptions(timestamps=options.timestamps, limit_bytes=left), self._store.clock.now)
            await response.write(more)
            left = None if left is None else left - len(more)
        await response.write_eof()
        return response

    async def exec(self, call: Call) -> web.StreamResponse:
        """pods/exec. Raises Refusal: 400, 403, 404."""
        options = exec_options(call.request.query)
        pod, container = self._reached(call, options.container)

        def start(argv: Sequence[str]) -> Process:
            return self._kubelets.start(pod, container, argv, options.tty)

        return await self._serve(call, start)

    async def attach(self, call: Call) -> web.StreamResponse:
        """pods/attach. Raises Refusal: 400, 403, 404."""
        pod, container = self._reached(call, exec_options(call.request.query).container)
        return await self._serve(call, lambda argv: Attached(self._store, self._kubelets, pod, container))

    async def portforward(self, call: Call) -> web.StreamResponse:
        """pods/portforward. Raises Refusal: 400, 403, 404."""
        pod, _ = self._reached(call, None)
        sandbox = hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest()
        namespace = "host" if pod["spec"].get("hostNetwork") else f"/var/run/netns/cni-{pod['metadata']['uid']}"

        async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            try:
                return await self._kubelets.connect(pod, port)
            except ConnectionRefusedError:
                raise refused(port, sandbox, namespace) from None

        with self._streams.entered():
            return await port_forward(call.request, connect, sandbox)

    async def _serve(self, call: Call, start: Start) -> web.StreamResponse:
        with self._streams.entered():
            return await exec_(call.request, start, exec_options(call.request.query))

    def _reached(self, call: Call, container: str | None) -> tuple[Json, str]:
        """The pod, and the container that is meant where ``container`` is not None.

        A WebSocket begins with GET, but what it does here counts as creating too.
        """
        info, pod = call.info, self._pod(call)
        wanted = Attributes("create", "", info.plural, info.subresource, info.namespace, info.name)
        if is_websocket(call.request) and not self._access.allows(call.user, wanted):
            raise forbidden(call.user.name, "create", PODS, info.namespace, info.name, info.subresource)
        chosen = "" if container is None else chosen_container(pod, container)
        if not pod["spec"].get("nodeName"):
            raise bad_request(f"pod {info.name} does not have a host assigned")
        return pod, chosen

    def _pod(self, call: Call) -> Json:
        pod = self._store.get(PODS, call.info.namespace, call.info.name)
        if pod is None:
            raise not_found(PODS, call.info.name)
        return pod
