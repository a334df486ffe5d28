"""Who we are to the API server: a token, a certificate, or name and password, and how to get a fresh one."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from ..errors import CouldNotLook
from .kubeconfig import Access, data_or_file


class Credentials(Struct, frozen=True):
    """``authorization`` is the header's value; ``certificate`` and ``key`` are PEM."""

    authorization: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None

    def __repr__(self) -> str:  # never its content
        return "Credentials(...)"


def obtain(access: Access) -> Credentials:
    """The credentials of ``access`` as they are now: token files are read, exec plugins run, each time anew.

    Raises CouldNotLook, BadData.
    """
    user = access.user
    certificate, key = data_or_file(user, "client-certificate"), data_or_file(user, "client-key")
    if user.get("exec"):
        from . import exec_plugin

        said = exec_plugin.run({**user["exec"], "folder": user.get("folder")}, access.cluster)
        if said.client_certificate_data:
            certificate, key = said.client_certificate_data.encode(), said.client_key_data.encode()
        return Credentials(f"Bearer {said.token}" if said.token else None, certificate, key)
    return Credentials(_authorization(user), certificate, key)


def renewable(access: Access) -> bool:
    """Whether asking again may give other credentials: after a 401 that is worth one more try."""
    return bool(access.user.get("exec") or access.user.get("tokenFile"))


def _authorization(user: Mapping[str, Any]) -> str | None:
    token = _token(user)
    if token:
        return f"Bearer {token}"
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password') or ''}"
        return "Basic " + base64.b64encode(pair.encode()).decode()
    if user.get("auth-provider"):
        return _provider(user["auth-provider"])
    return None


def _token(user: Mapping[str, Any]) -> str:
    """The token; what its file says now wins over one that stands beside it (client-go's AuthInfo)."""
    path = user.get("tokenFile")
    if path:
        try:
            return Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            if not user.get("token"):
                raise CouldNotLook(f"cannot read token file {path}: {error}", "check the kubeconfig") from None
    return str(user.get("token") or "")


def _provider(provider: Mapping[str, Any]) -> str:
    """The old auth-providers: kubectl keeps oidc only, and its id-token can be used while it lasts."""
    name = provider.get("name") or "?"
    token = (provider.get("config") or {}).get("id-token")
    if name == "oidc" and token:
        return f"Bearer {token}"
    raise CouldNotLook(
        f"auth-provider {name} is not supported",
        "kubectl dropped it too: use the exec plugin of your provider (or run kubectl once, for a fresh oidc token)",
    )
