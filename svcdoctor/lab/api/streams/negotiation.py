"""Which protocol a request and this server agree on, and how the server refuses one.

apimachinery: util/httpstream/httpstream.go and wsstream/conn.go; apiserver: util/proxy.
"""

from collections.abc import Sequence

from aiohttp import hdrs, web

PROTOCOL_VERSION = "X-Stream-Protocol-Version"
ACCEPTED_VERSIONS = "X-Accepted-Stream-Protocol-Versions"
UPGRADE_REQUIRED = (
    b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
    b'"message":"Upgrade request required","reason":"BadRequest","code":400}\n'
)


class Refused(Exception):
    """The request is answered instead of upgraded."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.reason)
        self.response = response


def require_upgrade(request: web.Request) -> None:
    """Raises Refused for a request that asks for no upgrade."""
    if not any("upgrade" in value.lower() for value in request.headers.getall(hdrs.CONNECTION, [])):
        headers = {hdrs.CACHE_CONTROL: "no-cache, private", hdrs.CONTENT_TYPE: "application/json"}
        raise Refused(web.Response(status=400, body=UPGRADE_REQUIRED, headers=headers))


def is_websocket(request: web.Request) -> bool:
    """Whether the upgrade that is asked for is to WebSocket."""
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def websocket_protocols(request: web.Request) -> list[str]:
    """The subprotocols that the client speaks, its favourite first."""
    offered = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "")
    return [name.strip() for name in offered.split(",") if name.strip()]


def choose_websocket(request: web.Request, supported: Sequence[str]) -> str:
    """The client's first that is supported; an empty one if it names none. Raises Refused, as a bare 403."""
    offered = websocket_protocols(request)
    chosen = next((name for name in offered or [""] if name in supported), None)
    if chosen is None:
        response = web.Response(status=403)
        response.force_close()
        raise Refused(response)
    return chosen


def choose_spdy(request: web.Request, supported: Sequence[str]) -> str:
    """The client's first that is supported. Raises Refused."""
    if request.headers.get(hdrs.UPGRADE, "").lower() != "spdy/3.1":
        raise Refused(plain(400, "unable to upgrade: missing upgrade headers in request"))
    values = ",".join(request.headers.getall(PROTOCOL_VERSION, []))
    return agree([name.strip() for name in values.split(",") if name.strip()], supported)


def agree(offered: Sequence[str], supported: Sequence[str]) -> str:
    """The first of ``offered`` that is supported. Raises Refused."""
    if not offered:
        raise Refused(plain(400, f"unable to upgrade: {PROTOCOL_VERSION} is required"))
    chosen = next((name for name in offered if name in supported), None)
    if chosen is None:
        why = f"client supports [{' '.join(offered)}], server accepts [{' '.join(supported)}]"
        response = plain(403, f"unable to upgrade: unable to negotiate protocol: {why}")
        for name in supported:
            response.headers.add(ACCEPTED_VERSIONS, name)
        raise Refused(response)
    return chosen


def plain(status: int, text: str) -> web.Response:
    """Go's http.Error."""
    headers = {"X-Content-Type-Options": "nosniff"}
    return web.Response(status=status, text=text + "\n", content_type="text/plain", charset="utf-8", headers=headers)
