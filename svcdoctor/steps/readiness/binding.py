"""What a command line tells of the address that a server binds: loopback only, or one IP family only."""

import re
from collections.abc import Iterator

from msgspec import Struct

from ...model.case import Case
from ...model.diagnosis import Confidence, Effect, Evidence, Finding, Fix, Rule, RuledOut, Severity
from ...model.pod import Container, Pod
from ...model.service import Service
from ..listening import command_line, proven, resolve
from ..step import find
from ..words import count, kubectl, source, subject

LOOPBACK_BIND = Rule(
    "SVC314",
    "loopback-bind",
    Severity.ERROR,
    "readiness",
    "The server listens on loopback only: it answers inside the pod and through port-forward, not on the pod's IP.",
    "Many frameworks bind 127.0.0.1 unless told otherwise.",
    "Bind 0.0.0.0 (or ::).",
)
FAMILY_BIND = Rule(
    "SVC315",
    "family-bind",
    Severity.WARNING,
    "readiness",
    "The server binds one IP family, and the Service sends it connections of another too.",
    "It listens on 0.0.0.0, which is IPv4 only.",
    "Bind :: (both families), or make the Service SingleStack.",
)
RULES = (LOOPBACK_BIND, FAMILY_BIND)

HOST = r"(?P<host>127\.0\.0\.1|localhost|\[::1\]|::1|0\.0\.0\.0)"
FLAG = (
    r"(?:--?(?:[\w.-]*[-.])?(?:listen|bind|http|https|grpc|web)?[-.]?(?:listen|bind|addr|address|host|interface|hostname)"
    r"(?:[-.](?:addr|address|host|ip))?|-b|-H|-l|-p)"
)
WITH_PORT = re.compile(rf"(?:^|\s){FLAG}[=\s]+[\"']?(?:\w+://)?{HOST}:(?P<port>\d{{2,5}})\b")
ALONE = re.compile(
    rf"(?:^|\s)(?:--?(?:bind|listen|host|hostname|address|addr|bind-address|listen-address|bind-addr|listen-host)|-b)[=\s]+[\"']?{HOST}(?![\w:.-])"
)
NETCAT = re.compile(rf"\bn(?:c|cat)\b.*?\s-s\s*{HOST}(?![\w:.-])")
PHP = re.compile(rf"\bphp\b.*?\s-S\s*{HOST}:(?P<port>\d{{2,5}})\b")
SOCAT = re.compile(rf"LISTEN:(?P<port>\d{{2,5}})\S*?bind={HOST}", re.IGNORECASE)
PROXIES = frozenset({"istio-proxy", "linkerd-proxy"})
"""Sidecars that hand incoming connections over on loopback: there a loopback bind may be meant."""


class Bind(Struct, frozen=True):
    """A server told to bind ``host``; ``port`` None where the flag does not say it."""

    container: Container
    host: str
    port: int | None
    flag: str


def binds(pod: Pod) -> Iterator[Bind]:
    """What the command lines of ``pod`` say of the addresses they bind. Environment and files are not seen."""
    for container in pod.spec.servers:
        line = command_line(container)
        for pattern in (WITH_PORT, SOCAT, NETCAT, PHP, ALONE):
            for match in pattern.finditer(line):
                port = match.groupdict().get("port")
                yield Bind(container, match["host"].strip("[]"), int(port) if port else None, match[0].strip())


def _bound(pod: Pod, number: int) -> Bind | None:
    """How ``number`` is bound: by a flag that names it, or by one beside which the number stands."""
    for bind in binds(pod):
        if bind.port == number:
            return bind
        spoken = re.search(rf"(?<![\d.:]){number}(?![\d.])", command_line(bind.container))
        if bind.port is None and spoken:
            return bind
    return None


def check(case: Case, service: Service) -> Iterator[Finding]:
    """Findings about servers whose command line binds too little for what the Service sends them.

    A probe that passes proves the address that it asks, the pod's first: it says nothing of the other family.
    """
    pods = [pod for pod in case.backends if not pod.terminating and not _proxied(pod)]
    for port in service.spec.ports:
        numbers = [(pod, resolve(pod, port.target, port.protocol)) for pod in pods]
        bound = [(pod, number, bind) for pod, number in numbers if number and (bind := _bound(pod, number))]
        unproven = [(pod, bind) for pod, number, bind in bound if number not in proven(pod)]
        local = [(pod, bind) for pod, bind in unproven if bind.host != "0.0.0.0"]
        if local:
            yield _loopback(service, local, len(pods))
            return
        four = [(pod, bind) for pod, _, bind in bound if bind.host == "0.0.0.0" and _lacks_six(pod)]
        if four and "IPv6" in service.spec.ip_families:
            yield _family(service, four, len(pods))
            return


def _lacks_six(pod: Pod) -> bool:
    """Whether the pod has an IPv6 address at which nobody probes it."""
    return any(":" in address for address in pod.addresses) and ":" not in pod.addresses[0]


def _proxied(pod: Pod) -> bool:
    return any(container.name in PROXIES for container in pod.spec.servers)


def _loopback(service: Service, local: list[tuple[Pod, Bind]], everyone: int) -> Finding:
    pod, bind = local[0]
    return find(
        LOOPBACK_BIND,
        subject(service),
        f"{bind.container.name} binds {bind.host}, so {count(len(local), 'pod')} of {everyone} answer on loopback only",
        [
            Evidence(source(pod, f"spec.containers[{bind.container.name}] command line"), bind.flag),
            Evidence(
                "Pods behind the Service",
                f"{len(local)} of {everyone} say so; no probe reaches the port on the pod's IP",
            ),
        ],
        Fix(
            "Bind 0.0.0.0 (or ::) instead. To be sure first, see on which addresses it listens.",
            kubectl(service.namespace, "exec", pod.name, "-c", bind.container.name, "--", "ss", "-ltn"),
        ),
        effect=Effect.OUTAGE if len(local) == everyone else Effect.PARTIAL,
        confidence=Confidence.LIKELY,
        ruled_out=[RuledOut("targetport-wrong", "the command line speaks of the targetPort itself")],
    )


def _family(service: Service, four: list[tuple[Pod, Bind]], everyone: int) -> Finding:
    pod, bind = four[0]
    only = service.spec.ip_families == ("IPv6",)
    return find(
        FAMILY_BIND,
        subject(service),
        f"{bind.container.name} binds 0.0.0.0, which is IPv4 only, but the Service also sends it IPv6",
        [
            Evidence(source(service, "spec.ipFamilies"), ", ".join(service.spec.ip_families)),
            Evidence(source(pod, f"spec.containers[{bind.container.name}] command line"), bind.flag),
        ],
        Fix(
            "Bind :: to serve both families.",
            kubectl(service.namespace, "exec", pod.name, "-c", bind.container.name, "--", "ss", "-ltn"),
        ),
        effect=Effect.OUTAGE if only and len(four) == everyone else Effect.PARTIAL,
        severity=Severity.ERROR if only else Severity.WARNING,
        confidence=Confidence.LIKELY,
    )
