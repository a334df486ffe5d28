"""The part of the layout that holds what was observed beside the API's objects.

::

    nodes/<node>/kubelet-configz.json    what its kubelet says at /configz
    nodes/<node>/resolv.conf             its own
    nodes/<node>/iptables-save.txt ...   what its rules, its kernel and its kube-proxy say (`model.node_rules`)
    pods/<namespace>/<pod>/resolv.conf   the file as it is in the pod
    dns.json                             questions to name servers, with what came back
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import structs

from .. import redact
from ..model import node_rules
from ..model.cluster import KubeletConfiguration, KubeletConfigz
from ..model.decode import decode
from ..model.node_rules import NodeRules
from ..model.observation import DnsAnswer, DnsRecord
from ..model.snapshot import Snapshot

_RULES = "|".join(map(re.escape, node_rules.FILES))
NAMES = rf"dns\.json|nodes/[^/]+/(?:kubelet-configz\.json|resolv\.conf|{_RULES})|pods/[^/]+/[^/]+/resolv\.conf"
"""A regular expression of the files that are read, without groups."""

KUBELET = re.compile(r"nodes/([^/]+)/kubelet-configz\.json")
NODE_FILE = re.compile(r"nodes/([^/]+)/resolv\.conf")
RULES_FILE = re.compile(rf"nodes/([^/]+)/({_RULES})")
POD_FILE = re.compile(r"pods/([^/]+)/([^/]+)/resolv\.conf")
DNS = "dns.json"


def files(snapshot: Snapshot) -> dict[str, bytes]:
    """What was observed, without secrets, by the names of its files."""
    found = {f"nodes/{node}/kubelet-configz.json": _pack(_configz(said)) for node, said in snapshot.kubelets.items()}
    found |= {f"nodes/{node}/resolv.conf": _text(text) for node, text in snapshot.node_files.items()}
    found |= {f"pods/{ns}/{pod}/resolv.conf": _text(text) for (ns, pod), text in snapshot.resolv_confs.items()}
    for node, rules in snapshot.node_rules.items():
        found |= {f"nodes/{node}/{name}": _text(text) for name, text in rules.texts.items()}
    if snapshot.dns_answers:
        found[DNS] = _pack([_clean(answer) for answer in snapshot.dns_answers])
    return found


def read(snapshot: Snapshot, source: Path, parts: Mapping[str, bytes]) -> Snapshot:
    """``snapshot`` with what was observed of it. Empty files count as missing. Raises BadData, which names the file."""
    answers = parts.get(DNS, b"").strip()
    return structs.replace(
        snapshot,
        kubelets={
            match[1]: decode(body, KubeletConfigz, f"{source}/{match[0]}").kubeletconfig
            for match, body in _matching(KUBELET, parts)
        },
        node_files={match[1]: body.decode(errors="replace") for match, body in _matching(NODE_FILE, parts)},
        resolv_confs={
            (match[1], match[2]): body.decode(errors="replace") for match, body in _matching(POD_FILE, parts)
        },
        dns_answers=decode(answers, tuple[DnsAnswer, ...], f"{source}/{DNS}") if answers else (),
        node_rules=_node_rules(parts),
    )


def _node_rules(parts: Mapping[str, bytes]) -> dict[str, NodeRules]:
    """A file that says nothing that makes sense is the matter of whoever asks for it."""
    nodes: dict[str, dict[str, bytes]] = {}
    for match, body in _matching(RULES_FILE, parts):
        nodes.setdefault(match[1], {})[match[2]] = body
    return {node: node_rules.read(node, nodes[node]) for node in sorted(nodes)}


def _matching(pattern: re.Pattern[str], parts: Mapping[str, bytes]) -> Iterator[tuple[re.Match[str], bytes]]:
    for name, body in parts.items():
        match = pattern.fullmatch(name)
        if match and body.strip():
            yield match, body


def _configz(said: KubeletConfiguration) -> KubeletConfigz:
    return KubeletConfigz(kubeletconfig=said)


def _pack(value: object) -> bytes:
    return msgspec.json.encode(value)


def _text(text: str) -> bytes:
    return redact.text(text).encode(errors="replace")


def _clean(answer: DnsAnswer) -> DnsAnswer:
    return structs.replace(
        answer,
        answers=tuple(_clean_record(record) for record in answer.answers),
        authority=tuple(_clean_record(record) for record in answer.authority),
        error=redact.text(answer.error),
    )


def _clean_record(record: DnsRecord) -> DnsRecord:
    """A TXT record may hold anything."""
    return structs.replace(record, data=redact.text(record.data))
