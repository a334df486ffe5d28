"""The query of exec."""

import pytest
from yarl import URL

from svcdoctor.lab.api.streams import ExecOptions, exec_options


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", ExecOptions(command=())),
        ("command=sh&command=-c&command=a%26b+c", ExecOptions(command=("sh", "-c", "a&b c"))),
        ("command=a&container=main", ExecOptions(command=("a",), container="main")),
        ("command=a&stdin=true&stdout=1&stderr=t&tty=", ExecOptions(("a",), "", True, True, True, True)),
        ("command=a&stdin=false&stdout=0&stderr=FALSE&tty=0", ExecOptions(("a",))),
    ],
)
def test_exec_options(query, options):
    assert exec_options(URL(f"/exec?{query}").query) == options
