"""The closing status, beyond what was recorded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.streams import CannotStart
from svcdoctor.lab.api.streams.status import Wording, closing_status, go_json

CAUSE = "error executing command in container: why & where"


@pytest.mark.parametrize(
    ("wording", "cause"),
    [(Wording.RUNTIME, CAUSE), (Wording.TRANSLATED, f"Internal error occurred: {CAUSE}")],
)
def test_a_command_that_can_not_start(wording, cause):
    assert closing_status(CannotStart("why & where"), ["x"], wording) == go_json(
        {
            "metadata": {},
            "status": "Failure",
            "message": f"Internal error occurred: {cause}",
            "reason": "InternalError",
            "details": {"causes": [{"message": cause}]},
            "code": 500,
        }
    )


def test_before_v4_there_is_text():
    assert closing_status(0, ["x"], Wording.TEXT) == b""
    said = closing_status(CannotStart("why & where"), ["x"], Wording.TEXT)
    assert said == f"Internal error occurred: {CAUSE}".encode()


@given(st.text(st.characters(codec="utf-8")))
def test_json_that_is_safe_inside_html(text):
    written = go_json([text])
    assert json.loads(written) == [text]
    assert not set("<>&\u2028\u2029") & set(written.decode())
