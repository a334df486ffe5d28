"""A large cluster costs one question no more than a small one."""

import time

import dns.message

from svcdoctor.lab.dns import Serving

from .world import Objects, endpoint, name_server, piece, service

SERVICES, QUESTIONS = 10_000, 300
LONGEST = 0.001
"""Seconds for one question, on a machine that does other things meanwhile."""


def test_ten_thousand_services() -> None:
    services = [service(f"web-{n}", f"10.{96 + n // 65536}.{n // 256 % 256}.{n % 256}") for n in range(SERVICES)]
    slices = [piece(f"web-{n}", endpoint(f"10.244.{n // 250}.{n % 250}")) for n in range(SERVICES)]
    served = Serving(name_server(Objects(services, slices)))
    raw = [
        dns.message.make_query(f"web-{n * 31 % SERVICES}.shop.svc.cluster.local.", "A").to_wire()
        for n in range(QUESTIONS)
    ]
    sent: list[bytes] = []
    begun = time.process_time()
    for question in raw:
        served.respond(question, "udp", sent.append)
    spent = time.process_time() - begun
    assert all(dns.message.from_wire(answer).answer for answer in sent)
    assert spent / QUESTIONS < LONGEST
