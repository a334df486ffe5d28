"""The questions in a name server's log: the lines of CoreDNS's ``log`` plugin in its common format.

::

    [INFO] 10.244.1.7:36124 - 5321 "A IN web.shop.svc.cluster.local. udp 52 false 512" NOERROR qr,aa,rd 94 0.000180542s
"""

import re
from collections.abc import Iterator

from ...model.observation import DnsAnswer

_LINE = re.compile(
    r'(?P<client>\[?[0-9a-fA-F.:]{2,45}\]?):\d{1,5} - \d{1,5} "(?P<type>[A-Z0-9]{1,12}) IN (?P<name>\S{1,255}) '
    r'(?P<transport>udp|tcp) [^"\n]{0,40}" (?P<rcode>[A-Z]{2,12}) (?P<flags>\S{1,40}) \d{1,6} '
    r"(?P<seconds>\d{1,4}(?:\.\d{1,12})?)s"
)


def queries(text: str) -> Iterator[DnsAnswer]:
    """Every question, with its answer's code and time. What the answer held is not in the log."""
    for line in text.splitlines():
        if found := _LINE.search(line[:1000]):
            yield DnsAnswer(
                from_=found["client"].strip("[]"),
                transport=found["transport"].upper(),
                name=found["name"],
                type=found["type"],
                rcode=found["rcode"],
                flags=tuple(found["flags"].split(",")),
                ms=float(found["seconds"]) * 1000,
            )
