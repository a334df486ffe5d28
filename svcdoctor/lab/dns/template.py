"""The template plugin: answers made from the question's own words (coredns plugin/template).

Of Go's template language it knows what such records use: fields, ``index .Match N`` and ``parseInt``.
"""

import re

import dns.exception
import dns.rcode
import dns.zonefile
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CNAME import CNAME
from msgspec import Struct

from .corefile import Block, Directive
from .message import FAILURE, Next, Question, Record, Reply, innermost
from .world import Fallthrough, World, fallthrough
from .zones import zones

TTL = 3600
ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
SECTIONS = ("answer", "authority", "additional")


class Template(Struct, frozen=True):
    """One stanza."""

    rdclass: RdataClass
    type: RdataType
    zones: tuple[Name, ...]
    patterns: tuple[re.Pattern[str], ...]
    sections: dict[str, tuple[str, ...]]
    rcode: Rcode
    fallthrough: Fallthrough
    resolve: Next

    def __call__(self, question: Question, following: Next) -> Reply:
        zone = innermost(self.zones, question.name)
        if zone is None or not self._takes(question):
            return following(question)
        name = question.name.to_text().lower()
        match = next(filter(None, (pattern.search(name) for pattern in self.patterns)), None)
        if match is None:
            return following(question) if self.fallthrough.covers(question.name) else FAILURE
        if self.rcode == Rcode.SERVFAIL:
            return FAILURE
        try:
            made = {section: self._records(section, question, zone, match) for section in SECTIONS}
        except (dns.exception.DNSException, LookupError, ValueError):
            return FAILURE  # CoreDNS too, where a template fails or makes no record
        made["answer"] += self._onward(question, made["answer"])
        answer, authority, additional = (tuple(made[section]) for section in SECTIONS)
        return Reply(self.rcode, answer, authority, additional, authoritative=True)

    def _takes(self, question: Question) -> bool:
        classes, types = (self.rdclass, question.rdclass), (self.type, question.type)
        return _alike(classes, RdataClass.ANY) and _alike(types, RdataType.ANY)

    def _records(self, section: str, question: Question, zone: Name, match: re.Match[str]) -> list[Record]:
        made = []
        for text in self.sections.get(section, ()):
            filled = ACTION.sub(lambda action: _fill(action[1], question, zone, match), text)
            for rrset in dns.zonefile.read_rrsets(filled, rdclass=None, ttl=None, default_ttl=TTL):
                made += [Record(rrset.name, rrset.ttl, data) for data in rrset]
        return made

    def _onward(self, question: Question, answer: list[Record]) -> list[Record]:
        """What a CNAME that was made up leads to."""
        if question.type not in (RdataType.A, RdataType.AAAA):
            return []
        goals = [one.data.target for one in answer if isinstance(one.data, CNAME)]
        asked = (Question(goal, question.type, depth=question.depth + 1) for goal in goals)
        return [one for each in asked for one in self.resolve(each).answer]


def build(directive: Directive, block: Block, world: World) -> Template:
    """Raises CorefileError."""
    if len(directive.args) < 2:
        raise directive.error("Wrong argument count or unexpected line ending after 'template'")
    lines: dict[str, tuple[str, ...]] = {}
    for word, *args in directive.body:
        if word not in (*SECTIONS, "match", "rcode", "fallthrough", "upstream", "ederror"):
            raise directive.error(f"unknown property '{word}'")
        lines[word] = (*lines.get(word, ()), *args)
    try:
        return Template(
            RdataClass.make(directive.args[0].upper()),
            RdataType.make(directive.args[1].upper()),
            zones(directive.args[2:], directive.line) or block.zones,
            tuple(re.compile(pattern) for pattern in lines.get("match", (".*",))),
            {section: lines[section] for section in SECTIONS if section in lines},
            dns.rcode.from_text("".join(lines.get("rcode", ("NOERROR",)))),
            fallthrough(lines["fallthrough"], directive.line) if "fallthrough" in lines else Fallthrough(),
            world.resolve,
        )
    except (re.error, ValueError, dns.exception.DNSException) as error:
        raise directive.error(str(error)) from error


def _alike(pair: tuple[int, int], wild: int) -> bool:
    return wild in pair or pair[0] == pair[1]


def _fill(action: str, question: Question, zone: Name, match: re.Match[str]) -> str:
    """One ``{{ action }}``. Raises LookupError or ValueError where it is none that is known here."""
    words = action.split()
    if words[0] == "index" and len(words) == 3 and words[1] == ".Match":
        return match[int(words[2])] or ""
    if words[0] == "parseInt" and len(words) == 4:
        return str(int(_fill(words[1], question, zone, match), int(words[2])))
    if len(words) == 1 and action.startswith(".Group."):
        group = action.removeprefix(".Group.")
        return match[int(group) if group.isdecimal() else group] or ""
    return {
        ".Zone": zone.to_text().lower(),
        ".Name": question.name.to_text().lower(),
        ".Class": question.rdclass.name,
        ".Type": RdataType.to_text(question.type),
        ".Remote": "127.0.0.1",
    }[action]
