"""The report for people, whole: on a screen of 80 columns and in a pipe."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from svcdoctor.model.diagnosis import Diagnosis, Evidence, Fix, Target, Verdict
from svcdoctor.report import FORMATS, Look
from svcdoctor.report.look import Ink

from .diagnoses import ALL, BAD, BROKEN, DEGRADED, HEALTHY, HOSTILE, TYPO, UNKNOWN, UNREADY, diagnosis, outcome

EXPECTED = Path(__file__).parent / "expected"
SCREEN = Look(width=80)


def render(diagnosis: Diagnosis, look: Look = SCREEN) -> str:
    return FORMATS["terminal"](diagnosis, look)


@pytest.mark.parametrize("name", ALL)
def test_a_screen_of_80_columns(name):
    assert render(ALL[name]) == (EXPECTED / f"{name}.80.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ALL)
def test_a_pipe(name):
    assert render(ALL[name], Look()) == (EXPECTED / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        (HEALTHY, "shop/web healthy: nothing wrong was found; 2 of 3 questions asked.\n"),
        (BROKEN, f"shop/web broken: selector-typo: {TYPO.summary}\n"),
        (DEGRADED, f"shop/web degraded: probe-failing: {UNREADY.summary}\n"),
        (
            UNKNOWN,
            "shop/web unknown: 2 of 3 questions could not be answered (endpoints, readiness); "
            "otherwise nothing wrong was found.\n",
        ),
    ],
)
def test_brief_is_one_line(shown, line):
    assert render(shown, Look(width=80, brief=True)) == line


def test_colour_changes_no_letter():
    coloured = render(DEGRADED, Look(width=80, colour=True))
    assert f"\x1b[{Ink.WARN}mDEGRADED\x1b[0m: " in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == render(DEGRADED)


def test_ascii_has_its_own_glyphs():
    text = render(structs.replace(BROKEN, headline="ExternalName müller.example"), Look(width=80, ascii=True))
    assert text.isascii()
    assert "  + pass     service" in text
    assert "  x fail     endpoints" in text
    assert "m\\xfcller" in text


def test_commands_and_patches_stand_whole_at_the_margin():
    command = "kubectl -n shop patch service web -p " + '\'{"long": "' + "x " * 80 + "\"}'"
    fix = Fix("Do this.", command, "spec:\n  ports: []\n", (Fix("Or that.", f"{command} --other"),))
    finding = structs.replace(TYPO, fix=fix)
    lines = render(structs.replace(BROKEN, findings=(finding,))).split("\n")
    assert command in lines
    assert f"{command} --other" in lines
    assert lines[lines.index("spec:") + 1] == "  ports: []"


def test_a_patch_that_the_command_holds_is_not_said_twice():
    fix = Fix("Do this.", """kubectl patch -p '{"spec":{}}'""", '{"spec":{}}')
    text = render(structs.replace(BROKEN, findings=(structs.replace(TYPO, fix=fix),)))
    assert text.endswith("""Fix\n  Do this.\n\nkubectl patch -p '{"spec":{}}'\n""")


def test_a_client_and_a_port_are_part_of_the_question():
    from svcdoctor.model.diagnosis import Subject

    pod = structs.replace(HEALTHY, target=Target("shop", "web", "http", Subject("Pod", "lab", "curl")))
    node = structs.replace(HEALTHY, target=Target("shop", "web", None, Subject("Node", "", "n1")))
    assert render(pod, Look()).startswith("Service shop/web:http  ")
    assert render(pod, Look()).split("\n")[1].endswith(", seen from Pod lab/curl")
    assert render(node, Look()).split("\n")[1].endswith(", seen from Node n1")


def test_unknown_never_reads_as_well():
    text = render(UNKNOWN)
    assert "HEALTHY" not in text
    assert "to grant: list pods in namespace shop" in text


@pytest.mark.parametrize("look", [Look(), SCREEN, Look(brief=True), Look(width=80, ascii=True)])
def test_hostile_strings_are_harmless(look):
    text = render(HOSTILE, look)
    assert all(char == "\n" or char.isprintable() for char in text)
    assert "[red]\\x1b[31m\\x1b]0;owned\\x07" in text
    assert "[fd00::1]:8080" in text


@given(st.text(), st.text(), st.text(), st.integers(10, 120) | st.none(), st.booleans())
def test_any_text_leaves_one_harmless_report(one, two, three, width, colour):
    finding = structs.replace(
        TYPO, summary=one, evidence=(Evidence(two, three), Evidence(three, one)), fix=Fix(two, one, three)
    )
    shown = structs.replace(BROKEN, findings=(finding,), headline=two, context=three, server=one)
    plain = re.sub(r"\x1b\[\d+m", "", render(shown, Look(width=width, colour=colour)))
    assert all(char == "\n" or char.isprintable() for char in plain)
    assert plain == render(shown, Look(width=width))
    if width:
        lines = render(structs.replace(shown, findings=()), Look(width=width)).split("\n")
        assert all(len(line) <= width or " " not in line.strip() for line in lines)


def test_a_screen_breaks_no_word():
    finding = structs.replace(TYPO, summary=f"{'x' * 100} [fd00:10:96::{'a' * 80}]:8080", evidence=(), fix=Fix("."))
    text = render(structs.replace(BROKEN, findings=(finding,)))
    assert f"\n  {'x' * 100}\n  [fd00:10:96::{'a' * 80}]:8080\n" in text


def test_no_outcome_at_all_is_still_a_report():
    assert render(diagnosis(Verdict.HEALTHY)).endswith("HEALTHY: nothing wrong was found; 0 of 0 questions asked.\n")


def test_a_warning_that_takes_nothing_away_is_no_cause():
    from svcdoctor.model.diagnosis import Effect, Status

    warning = structs.replace(UNREADY, effect=Effect.NONE)
    shown = diagnosis(Verdict.HEALTHY, outcome("readiness", Status.WARN, "flaps", warning), root="probe-failing")
    text = render(shown)
    assert "HEALTHY: nothing that stops the Service was found; 1 of 1 questions asked." in text
    assert "\nWarning: probe-failing (SVC301), possible; the fix says how to decide\n" in text
    assert "Cause" not in text


def test_bad_holds_what_terminals_obey():
    assert {"\x1b", "\x07", "\r", "\x00", "\x9b", "\u202e"} <= set(BAD)
