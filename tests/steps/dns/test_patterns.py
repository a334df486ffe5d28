"""Seven probes: what their outcomes mean together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.steps.dns.patterns import MEANING, Cause, Outcome, Probes, cause

OK, LOST, CLOSED, FAILED = Outcome.OK, Outcome.TIMEOUT, Outcome.REFUSED_PORT, Outcome.SERVFAIL
NO = Outcome.NXDOMAIN


@pytest.mark.parametrize(
    ("probes", "expected"),
    [
        ({}, Cause.UNDECIDED),
        ({"udp": OK, "tcp": OK, "direct": (OK, OK), "external": OK, "short": OK, "a_ms": 1, "aaaa_ms": 2}, Cause.NONE),
        ({"udp": LOST, "tcp": OK, "direct": (OK,)}, Cause.UDP_PATH),
        ({"udp": LOST, "tcp": LOST, "direct": (OK, OK)}, Cause.VIRTUAL_IP),
        ({"udp": CLOSED, "tcp": CLOSED, "direct": (OK, OK)}, Cause.VIRTUAL_IP),
        ({"udp": LOST, "tcp": LOST, "direct": (OK, LOST)}, Cause.SOME_PODS),
        ({"udp": LOST, "tcp": LOST, "direct": (LOST, LOST)}, Cause.PATH),
        ({"udp": CLOSED, "tcp": CLOSED, "direct": (CLOSED,)}, Cause.NO_SERVER),
        ({"udp": LOST}, Cause.UNDECIDED),
        ({"udp": OK, "tcp": LOST}, Cause.TCP_PATH),
        ({"udp": Outcome.TRUNCATED, "tcp": LOST}, Cause.TCP_PATH),
        ({"udp": OK, "tcp": OK, "direct": (OK, LOST)}, Cause.SOME_PODS),
        ({"udp": FAILED, "tcp": FAILED}, Cause.SERVER),
        ({"udp": Outcome.REFUSED}, Cause.SERVER),
        ({"udp": NO, "version": NO}, Cause.NOT_CLUSTER_DNS),
        ({"udp": NO, "version": OK}, Cause.WRONG_ANSWER),
        ({"udp": Outcome.WRONG}, Cause.WRONG_ANSWER),
        ({"udp": OK, "external": FAILED}, Cause.UPSTREAM),
        ({"udp": OK, "external": LOST}, Cause.UPSTREAM),
        ({"udp": OK, "external": NO}, Cause.NONE),
        ({"udp": OK, "short": NO}, Cause.RESOLVER),
        ({"udp": OK, "a_ms": 5003, "aaaa_ms": 5003}, Cause.RACE),
        ({"udp": OK, "a_ms": 10010}, Cause.RACE),
        ({"udp": OK, "a_ms": 2, "aaaa_ms": 5001}, Cause.SLOW_AAAA),
        ({"udp": OK, "a_ms": 2, "aaaa_ms": 2400}, Cause.SLOW_AAAA),
        ({"udp": OK, "a_ms": 3000}, Cause.NONE),
    ],
)
def test_table(probes: Any, expected: Cause):
    assert cause(Probes(**probes)) is expected


def test_every_outcome_means_something_else():
    assert set(MEANING) == set(Outcome)
    assert len(set(MEANING.values())) == len(Outcome)


OUTCOMES = st.sampled_from(Outcome)
PROBES = st.builds(Probes, OUTCOMES, OUTCOMES, st.lists(OUTCOMES, max_size=3).map(tuple), OUTCOMES, OUTCOMES, OUTCOMES)


@given(PROBES)
def test_any_outcomes(probes: Probes):
    found = cause(probes)
    if probes.udp is not OK:
        assert found is not Cause.NONE
    if probes.udp is Outcome.SKIPPED and not probes.tcp.answered and not probes.direct:
        assert found is Cause.UNDECIDED
