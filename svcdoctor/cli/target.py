"""What the user calls a Service, and the client that it is looked at from -> a Target."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import UsageError

if TYPE_CHECKING:
    from ..model.diagnosis import Subject, Target

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""RFC 1123 label: names of Services, namespaces and named ports."""
SUBDOMAIN = re.compile(rf"(?=.{{1,253}}\Z){LABEL.pattern}(\.{LABEL.pattern})*")
"""RFC 1123 subdomain: names of pods and nodes."""
FORMS = "name a Service as NAME, svc/NAME, NAME.NAMESPACE, NAME:PORT or by a URL"
DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class Asked:
    """A Service as it was called; ``namespace`` is None where neither its name nor -n says."""

    name: str
    namespace: str | None
    port: str | None

    def target(self, default_namespace: str, client: str | None) -> "Target":
        from ..model.diagnosis import Target

        namespace = self.namespace or default_namespace
        return Target(namespace, self.name, self.port, parse_client(client, namespace) if client else None)


def parse(text: str, namespace: str | None) -> Asked:
    """``text`` in any of the FORMS, with the value of -n.

    Raises UsageError where it is no Service, or where -n names another namespace.
    """
    host, port = _split_url(text) if "://" in text else _split_port(text)
    name, own_namespace = _split_host(host)
    if namespace is not None:
        _check(LABEL, namespace, "a namespace")
    if namespace and own_namespace and namespace != own_namespace:
        raise UsageError(f"{text} lies in namespace {own_namespace}, but -n says {namespace}", "leave one of them out")
    return Asked(name, own_namespace or namespace, port)


def parse_client(text: str, namespace: str) -> "Subject":
    """``POD`` (of ``namespace``), ``NAMESPACE/POD`` or ``node/NAME``. Raises UsageError."""
    from ..model.diagnosis import Subject

    place, slash, name = text.rpartition("/")
    _check(SUBDOMAIN, name, "a pod or a node")
    if place == "node":
        return Subject("Node", "", name)
    if slash:
        _check(LABEL, place, "a namespace")
    return Subject("Pod", place or namespace, name)


def _split_url(text: str) -> tuple[str, str]:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise UsageError(f"{text} is no URL: {error}", FORMS) from None
    if url.scheme not in DEFAULT_PORTS or not url.hostname:
        raise UsageError(f"{text} is no http or https URL", FORMS)
    return url.hostname, DEFAULT_PORTS[url.scheme] if port is None else str(port)


def _split_port(text: str) -> tuple[str, str | None]:
    kind, slash, rest = text.rpartition("/")
    if slash and kind not in ("svc", "service", "services"):
        advice = f"for a Service in another namespace: {rest} -n {kind}" if LABEL.fullmatch(kind) else FORMS
        raise UsageError(f"{text} is no Service", advice)
    if _is_address(rest):
        return rest, None
    host, colon, port = rest.rpartition(":")
    if not colon:
        return rest, None
    if not (LABEL.fullmatch(port) and (not port.isdecimal() or 0 < int(port) < 65536)):
        raise UsageError(f"{port or 'nothing'} is no port", "a port is a number from 1 to 65535, or a name")
    return host, port


def _split_host(host: str) -> tuple[str, str | None]:
    """The Service and namespace of a DNS name: NAME, NAME.NS, NAME.NS.svc or NAME.NS.svc.CLUSTER-DOMAIN."""
    if _is_address(host):
        raise UsageError(f"{host} is an address, not the name of a Service", FORMS)
    name, *rest = host.removesuffix(".").split(".")
    _check(LABEL, name, "a Service")
    if not rest:
        return name, None
    namespace, *domain = rest
    _check(LABEL, namespace, "a namespace")
    if domain and domain[0] != "svc":
        is_pod = "svc" in domain[1:2]
        advice = f"for the Service that names that pod: {'.'.join(rest[:2])}" if is_pod else FORMS
        raise UsageError(f"{host} is not the name of a Service", advice)
    return name, namespace


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _check(pattern: re.Pattern[str], text: str, what: str) -> None:
    if pattern.fullmatch(text):
        return
    if pattern.fullmatch(text.lower()):
        raise UsageError(f"{text} can't be the name of {what}: Kubernetes names are lower case", f"try {text.lower()}")
    raise UsageError(f"{text or 'nothing'} can't be the name of {what}", "names hold a-z, 0-9 and -")
