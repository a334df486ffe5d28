"""What getent, dig and nslookup print, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.collect.client_tools import dig, getent, nslookup
from svcdoctor.model.observation import DnsAnswer

WEB = "web.shop.svc.cluster.local."
ME = "shop/client"


def told(answer: DnsAnswer | None):
    assert answer is not None
    records = [f"{record.type} {record.data}" for record in answer.answers]
    return answer.server, answer.transport, answer.type, answer.rcode, answer.error, records


def test_getent():
    found = getent(ME, "web", "10.96.1.1       web.shop.svc.cluster.local\n", 0, 3.0)
    assert told(found) == ("", "LIBC", "A", "NOERROR", "", ["A 10.96.1.1"])
    both = getent(ME, "web", "fd00::1         STREAM web\nfd00::1         DGRAM\n10.0.0.1  STREAM\n", 0, 3.0)
    assert told(both) == ("", "LIBC", "AAAA", "NOERROR", "", ["AAAA fd00::1", "A 10.0.0.1"])
    assert told(getent(ME, "web", "", 2, 3.0)) == ("", "LIBC", "A", "", "not found", [])


DIG = """
; <<>> DiG 9.18.28 <<>> +tries=1 web.shop.svc.cluster.local. A
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 5321
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;web.shop.svc.cluster.local.	IN	A

;; ANSWER SECTION:
web.shop.svc.cluster.local. 30	IN	A	10.96.1.1

;; Query time: 4 msec
;; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)
;; WHEN: Mon Nov 23 02:00:37 UTC 2026
;; MSG SIZE  rcvd: 107
"""


def test_dig():
    found = dig(ME, WEB, "A", "UDP", DIG, 80.0)
    assert told(found) == ("10.96.0.10", "UDP", "A", "NOERROR", "", ["A 10.96.1.1"])
    assert found is not None
    assert (found.flags, found.ms, found.answers[0].ttl) == (("qr", "aa", "rd"), 4.0, 30)
    denied = DIG.replace("NOERROR", "NXDOMAIN").replace("web.shop.svc.cluster.local. 30	IN	A	10.96.1.1\n", "")
    assert told(dig(ME, WEB, "A", "UDP", denied, 80.0)) == ("10.96.0.10", "UDP", "A", "NXDOMAIN", "", [])


@pytest.mark.parametrize(
    ("printed", "error"),
    [
        (";; communications error to 10.96.0.10#53: timed out\n;; no servers could be reached\n", "timeout"),
        (";; communications error to 10.96.0.10#53: connection refused\n;; no servers could be reached\n", "refused"),
    ],
)
def test_dig_and_nslookup_without_a_server(printed, error):
    assert told(dig(ME, WEB, "A", "UDP", printed, 80.0)) == ("10.96.0.10", "UDP", "A", "", error, [])
    (answer,) = nslookup(ME, WEB, printed, 80.0)
    assert told(answer) == ("10.96.0.10", "UDP", "A", "", error, [])


def test_other_words_are_no_answer():
    assert dig(ME, WEB, "A", "UDP", "usage: dig +short NAME [TYPE]\n", 1.0) is None
    assert nslookup(ME, WEB, "nslookup: not found\n", 1.0) == ()


BIND = """Server:		10.96.0.10
Address:	10.96.0.10#53

legacy.shop.svc.cluster.local	canonical name = db.example.com.
Name:	db.example.com
Address: 203.0.113.5
Name:	db.example.com
Address: 2001:db8::5

"""
BUSYBOX = """Server:		10.96.0.10
Address:	10.96.0.10:53

Name:	web.shop.svc.cluster.local
Address: 10.96.1.1

"""
OLD_BUSYBOX = """Server:    10.96.0.10
Address 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local

Name:      web.shop.svc.cluster.local
Address 1: 10.96.1.1 web.shop.svc.cluster.local
"""


def test_nslookup():
    v4, v6 = nslookup(ME, "legacy.shop.svc.cluster.local.", BIND, 9.0)
    alias = "CNAME db.example.com."
    assert told(v4) == ("10.96.0.10", "UDP", "A", "NOERROR", "", [alias, "A 203.0.113.5"])
    assert told(v6) == ("10.96.0.10", "UDP", "AAAA", "NOERROR", "", [alias, "AAAA 2001:db8::5"])
    (found,) = nslookup(ME, WEB, BUSYBOX, 9.0)
    assert told(found) == ("10.96.0.10", "UDP", "A", "NOERROR", "", ["A 10.96.1.1"])
    (found,) = nslookup(ME, WEB, OLD_BUSYBOX, 9.0)
    assert [record.data for record in found.answers] == ["10.96.1.1"]


def test_nslookup_that_finds_nothing():
    head = "Server:		10.96.0.10\nAddress:	10.96.0.10#53\n\n"
    (denied,) = nslookup(ME, WEB, f"{head}** server can't find {WEB[:-1]}: NXDOMAIN\n", 9.0)
    assert told(denied) == ("10.96.0.10", "UDP", "A", "NXDOMAIN", "", [])
    (empty,) = nslookup(ME, WEB, f"{head}*** Can't find {WEB[:-1]}: No answer\n", 9.0)
    assert told(empty) == ("10.96.0.10", "UDP", "A", "NOERROR", "", [])


@given(st.text())
def test_any_text_is_read(printed):
    assert isinstance(getent(ME, "web", printed, 0, 1.0), DnsAnswer)
    assert isinstance(nslookup(ME, WEB, printed, 1.0), tuple)
    assert (
        dig(ME, WEB, "A", "UDP", printed, 1.0) is None or "HEADER" in printed or "out" in printed or "reach" in printed
    )


@given(st.lists(st.sampled_from([*DIG.splitlines(), *BIND.splitlines(), *OLD_BUSYBOX.splitlines()])))
def test_lines_in_any_order_are_read(lines):
    printed = "\n".join(lines)
    dig(ME, WEB, "A", "UDP", printed, 1.0)
    assert all(answer.transport == "UDP" for answer in nslookup(ME, WEB, printed, 1.0))
