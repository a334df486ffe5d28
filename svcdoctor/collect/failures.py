"""What went wrong on the way to an API server, in a line, with what to do."""

import ssl
from urllib.parse import urlsplit

import urllib3

from ..errors import CouldNotLook
from .timeouts import Timeouts


def hopeless(error: Exception, server: str) -> CouldNotLook | None:
    """The failures that no other call will fare better with; None for those of one call alone."""
    text = str(getattr(error, "reason", None) or error)
    host = urlsplit(server).netloc
    if isinstance(error, ssl.SSLError | urllib3.exceptions.SSLError) or "SSLError" in text or "CERTIFICATE" in text:
        return _tls_error(text, host)
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return CouldNotLook(
            f"the API server's name {host} does not resolve", "check the server in the kubeconfig, or VPN and DNS"
        )
    if isinstance(error, urllib3.exceptions.ProxyError):
        return CouldNotLook(
            f"the proxy in front of {host} does not let us through", "check proxy-url, HTTPS_PROXY, NO_PROXY"
        )
    if isinstance(error, urllib3.exceptions.NewConnectionError | ConnectionRefusedError):
        return CouldNotLook(
            f"the API server {host} cannot be reached: {_reason(error)}",
            "is the cluster up, and is this the right context?",
        )
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return CouldNotLook(
            f"the API server {host} cannot be reached: no answer to the connection", "check network, VPN and firewall"
        )
    return None


def _tls_error(text: str, host: str) -> CouldNotLook:
    if "doesn't match" in text or "not valid for" in text or "mismatch" in text.lower():
        why, advice = "its certificate is for another name", "set tls-server-name, or use the name in the certificate"
    elif "expired" in text:
        why, advice = "its certificate has expired", "renew it, or check this machine's clock"
    elif "not yet valid" in text:
        why, advice = "its certificate is not valid yet", "check this machine's clock"
    elif "CERTIFICATE_REQUIRED" in text or "certificate required" in text:
        why, advice = "it wants a client certificate", "choose a user that has one, with --user or --context"
    elif "self-signed" in text or "self signed" in text or "unable to get local issuer" in text:
        why, advice = (
            "its certificate is not signed by the kubeconfig's CA",
            "check certificate-authority of the cluster",
        )
    elif "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text or "record layer" in text:
        why, advice = "it speaks no TLS", "should the server's URL begin with http:// or have another port?"
    else:
        why, advice = "TLS failed" + (f" ({_brief(text)})" if text else ""), "check certificates in the kubeconfig"
    return CouldNotLook(f"the API server {host} cannot be trusted: {why}", advice)


def _brief(text: str) -> str:
    inner = text.rsplit("[SSL: ", maxsplit=1)[-1].split("]", maxsplit=1)[0]
    return inner if len(inner) < 80 else inner[:77] + "..."


def _reason(error: Exception) -> str:
    text = str(error)
    if "refused" in text:
        return "connection refused"
    if "No route" in text or "unreachable" in text:
        return "no route to it"
    return text.rsplit(": ", 1)[-1]


def spoken(error: Exception, timeouts: Timeouts) -> str:
    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError):
        return f"timed out after {timeouts.read:g} s" if timeouts.read else "timed out"
    if isinstance(error, urllib3.exceptions.DecodeError):
        return "the answer could not be decompressed"
    return "the connection broke while it was answered"
