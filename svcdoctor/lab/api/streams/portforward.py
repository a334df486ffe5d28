"""pods/portforward: connections to a pod's ports, over SPDY, SPDY in a WebSocket, or channels."""

from aiohttp import web

from . import portforward_spdy, portforward_websocket
from .forwarding import Connect
from .negotiation import Refused, is_websocket, require_upgrade, websocket_protocols


async def port_forward(request: web.Request, connect: Connect, pod: str, uid: str = "") -> web.StreamResponse:
    """Answers pods/portforward. The caller has looked at the pod and who may do this.

    ``pod`` and ``uid`` are only for the text of errors: the id of the pod's sandbox, and nothing, with containerd.
    """
    try:
        require_upgrade(request)
        if not is_websocket(request):
            return await portforward_spdy.serve(request, connect, pod, uid)
        if any(portforward_spdy.is_tunnelled(name) for name in websocket_protocols(request)):
            return await portforward_spdy.serve_tunnelled(request, connect, pod, uid)
        return await portforward_websocket.serve(request, connect, pod, uid)
    except Refused as refused:
        return refused.response
