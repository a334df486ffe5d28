"""pods/exec: runs a command for a client, over WebSocket or SPDY (kubelet, cri/streaming/remotecommand)."""

from aiohttp import web

from . import remotecommand_spdy, remotecommand_websocket
from .conversation import Start
from .negotiation import Refused, is_websocket, plain, require_upgrade
from .options import ExecOptions


async def exec_(request: web.Request, start: Start, options: ExecOptions) -> web.StreamResponse:
    """Answers pods/exec. The caller has looked at the pod, the container and who may do this.

    Without a terminal there are stdout and stderr; with one, all that is written is stdout.
    """
    try:
        require_upgrade(request)
        if not (options.stdin or options.stdout or (options.stderr and not options.tty)):
            raise Refused(plain(400, "you must specify at least 1 of stdin, stdout, stderr"))
        if is_websocket(request):
            return await remotecommand_websocket.serve(request, start, options)
        return await remotecommand_spdy.serve(request, start, options)
    except Refused as refused:
        return refused.response
