"""Who we are to the API server: a token, a certificate, or name and password, and how to get a fresh one."""

import base64
from pathlib import Path

from msgspec import Struct

from ..errors import CouldNotLook
from .kubeconfig import Access
from .kubeconfig_file import AuthProvider, User


class Credentials(Struct, frozen=True):
    """``authorization`` is the header's value; ``certificate`` and ``key`` are PEM."""

    authorization: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None

    def __repr__(self) -> str:  # never its content
        return "Credentials(...)"


def obtain(access: Access) -> Credentials:
    """The credentials of ``access`` as they are now: token files are read, exec plugins run, each time anew.

    None go out over plain http, as with kubectl. Raises CouldNotLook, BadData.
    """
    if access.server.startswith("http://"):
        return Credentials()
    user = access.user
    certificate = user.bytes_of(user.client_certificate_data, user.client_certificate, "client-certificate")
    key = user.bytes_of(user.client_key_data, user.client_key, "client-key")
    authorization = _authorization(user)
    if user.exec is not None and authorization is None:
        from . import exec_plugin

        said = exec_plugin.run(user.exec, user.folder, access.cluster)
        authorization = f"Bearer {said.token}" if said.token else None
        if said.client_certificate_data:
            certificate, key = said.client_certificate_data.encode(), said.client_key_data.encode()
    if (certificate is None) is not (key is None):
        raise CouldNotLook("the client certificate or its key is missing", "the kubeconfig's user needs both")
    if authorization and not authorization.isascii():
        raise CouldNotLook("the token holds letters that no token has", "check the kubeconfig's user")
    return Credentials(authorization, certificate, key)


def renewable(access: Access) -> bool:
    """Whether asking again may give other credentials: after a 401 that is worth one more try."""
    return bool(access.user.exec or access.user.token_file)


def _authorization(user: User) -> str | None:
    token = _token(user)
    if token:
        return f"Bearer {token}"
    if user.username:
        return "Basic " + base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
    return _provider(user.auth_provider) if user.auth_provider else None


def _token(user: User) -> str:
    """The token; what its file says now wins over one that stands beside it (client-go's AuthInfo)."""
    if not user.token_file:
        return user.token.strip()
    try:
        token = (Path(user.folder) / user.token_file).read_text().strip()
    except (OSError, ValueError) as error:
        if user.token:
            return user.token.strip()
        raise CouldNotLook(f"cannot read token file {user.token_file}: {error}", "check the kubeconfig") from None
    if not token and not user.token:
        raise CouldNotLook(f"token file {user.token_file} is empty", "log in again, or check the kubeconfig")
    return token or user.token.strip()


def _provider(provider: AuthProvider) -> str:
    """The old auth-providers: kubectl keeps oidc only, and its id-token can be used while it lasts."""
    token = (provider.config or {}).get("id-token")
    if provider.name == "oidc" and token:
        return f"Bearer {token}"
    raise CouldNotLook(
        f"auth-provider {provider.name or '?'} is not supported",
        "kubectl dropped it too: use the exec plugin of your provider (or run kubectl once, for a fresh oidc token)",
    )
