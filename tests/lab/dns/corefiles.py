"""Corefiles made of stanzas, and one question to a server that has one."""

from .world import Objects, answers, name_server, put, service

WEB = "web.shop.svc.cluster.local."
CLUSTER = Objects([service("web", "10.96.0.20")])


def asked(corefile: str, name: str, rdtype: str = "A") -> tuple[str, list[str]]:
    message = put(name_server(CLUSTER, corefile), name, rdtype, transport="tcp")
    return answers(message)


def block(*stanzas: str, keys: str = ".:53") -> str:
    return "\n".join([f"{keys} {{", *stanzas, "}"]) + "\n"


KUBERNETES = "kubernetes cluster.local"
FORWARD = "forward . 192.0.2.53"
