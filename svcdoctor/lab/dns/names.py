"""Names below a cluster domain: what they ask for (DNS specification 1.1.0; coredns plugin/kubernetes parse.go)."""

import dns.exception
import dns.name
from dns.name import Name
from msgspec import Struct

SERVICE, POD = "svc", "pod"


class Asked(Struct, frozen=True):
    """The parts of a name, lower-case; empty where it has none. A pod's dashed address stands as ``service``."""

    kind: str
    namespace: str = ""
    service: str = ""
    endpoint: str = ""
    port: str = ""
    protocol: str = ""


APEX = Asked("")


def read(labels: tuple[bytes, ...]) -> Asked | None:
    """What the labels before the zone ask for; None where no object can have such a name.

    ``_port._protocol.service.namespace.svc``, ``endpoint.service.namespace.svc`` or an end of these.
    """
    words = [label.lower().decode("latin-1") for label in reversed(labels)]
    if not words:
        return APEX
    if words[0] not in (SERVICE, POD) or len(words) > 5:
        return None
    kind, namespace, service, fourth, fifth = words + [""] * (5 - len(words))
    if fifth:
        return Asked(kind, namespace, service, protocol=fourth.removeprefix("_"), port=fifth.removeprefix("_"))
    return Asked(kind, namespace, service, endpoint=fourth)


def absolute(text: str) -> Name | None:
    """A domain name out of an object, with or without its last dot; None where it cannot be one."""
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, UnicodeError):
        return None
