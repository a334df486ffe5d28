"""The small shell: what a script writes, how it ends, and that nothing breaks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.images.effects import NotFound, World
from svcdoctor.lab.images.program import End, Line
from svcdoctor.lab.images.shell import interpret, outcome

WORLD = World({"NAME": "web", "EMPTY": ""}, "web-0", {"/etc/motd": b"hello\n"}.get)


def ran(script):
    made = outcome(interpret(["sh", "-c", script], WORLD))
    assert made.end
    return made.end.code, "".join(f"{line.text}\n" for line in made.lines)


@pytest.mark.parametrize(
    ("script", "code", "text"),
    [
        ("echo cannot open /etc/relay.conf >&2; exit 1", 1, "cannot open /etc/relay.conf\n"),
        ("echo one && echo two || echo three", 0, "one\ntwo\n"),
        ("false && echo one || echo two", 0, "two\n"),
        ("true; false", 1, ""),
        ("false; echo $?", 0, "1\n"),
        ("echo $NAME ${NAME}s '$NAME' \"$NAME\" \\$NAME", 0, "web webs $NAME web $NAME\n"),
        ("echo 'a  b' \"c;d\"", 0, "a  b c;d\n"),
        ("MODE=fast; echo $MODE", 0, "fast\n"),
        ("echo -n a; echo b", 0, "ab\n"),
        ("echo lost >/dev/null", 0, ""),
        ("nope 2>/dev/null", 127, ""),
        ("nope >/dev/null 2>&1 || echo no", 0, "no\n"),
        ("nope", 127, "sh: nope: not found\n"),
        ("cat /etc/motd | cat", 0, "hello\n"),
        ("cat /nope", 1, "cat: can't open '/nope': No such file or directory\n"),
        ("test -f /etc/motd && echo yes", 0, "yes\n"),
        ("[ -z \"$EMPTY\" ] && [ web = $NAME ]", 0, ""),
        ("[ -f /nope ]", 1, ""),
        ("exec echo done; echo never", 0, "done\n"),
        ("hostname; printenv NAME; printenv NOPE", 1, "web-0\nweb\n"),
        ("sh -c 'exit 7'", 7, ""),
        ("echo one\necho two", 0, "one\ntwo\n"),
        ("echo 'open", 2, "sh: syntax error: unterminated quoted string\n"),
        ("&& echo", 2, 'sh: syntax error: unexpected "&&"\n'),
        ("echo |", 2, "sh: syntax error: unexpected end of file\n"),
        ("exit 300", 44, ""),
    ],
)  # fmt: skip
def test_scripts(script, code, text):
    assert ran(script) == (code, text)


def test_time_passes():
    made = outcome(interpret(["sh", "-c", "echo a; sleep 90; echo b; sleep 1m; exit 3"], WORLD))
    assert (made.lines, made.end) == ((Line(0.0, "a"), Line(90.0, "b")), End(150.0, 3))


def test_what_waits_for_ever_has_no_end():
    assert outcome(interpret(["sleep", "infinity"], WORLD)).end is None


def test_a_program_that_is_not_there():
    with pytest.raises(NotFound, match="serve"):
        interpret(["serve", "--now"], WORLD)


@given(st.text(alphabet=" abc'\"\\$;&|<>{}()=-\n12?[]", max_size=30))
def test_no_script_breaks_it(script):
    made = outcome(interpret(["sh", "-c", script], WORLD))
    assert made.end is None or 0 <= made.end.code <= 255


@given(st.text(alphabet="abc XYZ_-./:0123\u00e9", min_size=1, max_size=20))
def test_quoted_words_come_out_as_they_are(text):
    assert ran(f"echo '{text}'") == (0, f"{text}\n")
