"""Image names, and what the lab's images run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.images import Answer, End, InvalidName, Launch, PullFailed, Socket, lab_images
from svcdoctor.lab.images.agnhost import agnhost
from svcdoctor.lab.images.reference import parse
from svcdoctor.lab.images.server import serve


def launch(*argv):
    pod = {"metadata": {"name": "web-0", "namespace": "default"}, "spec": {}}
    return Launch(("/server", *argv), {}, pod, "app")


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("web", "registry.lab/library/web:latest"),
        ("team/web:2", "registry.lab/team/web:2"),
        ("images.example/web", "images.example/web:latest"),
        ("images.example:5000/a/b:1.2-x", "images.example:5000/a/b:1.2-x"),
        ("localhost/web", "localhost/web:latest"),
        (f"web@sha256:{'a' * 64}", f"registry.lab/library/web@sha256:{'a' * 64}"),
    ],
)
def test_names_in_full(name, whole):
    assert str(parse(name)) == whole


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Web", "repository name must be lowercase"),
        ("web::1", "invalid reference format"),
        ("web:", "invalid reference format"),
        ("", "invalid reference format"),
        ("web: 1", "invalid reference format"),
        ("/web", "invalid reference format"),
        ("web@sha256:12", "invalid reference format"),
    ],
)
def test_names_that_no_image_can_have(name, why):
    with pytest.raises(InvalidName, match=why):
        parse(name)


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_refused(text):
    try:
        parse(text)
    except InvalidName:
        return
    assert str(parse(str(parse(text)))) == str(parse(text))


def test_every_image_of_the_lab_is_found_under_its_tags_and_digest():
    images = lab_images()
    for image in images:
        for tag in image.tags:
            assert images.find(f"{image.repository}:{tag}")[0] is image
            assert images.find(f"{image.repository}@{image.digest(tag)}")[0] is image
    with pytest.raises(PullFailed, match=r"not found$"):
        images.find("registry.lab/server:99")


def test_a_server_is_what_its_arguments_say():
    made = serve(
        launch("--http=8080", "--udp", "53", "--bind=0.0.0.0", "--health=/healthz", "--health=/ready", "--status=503")
    )
    assert made.sockets == (Socket(8080, "TCP", "0.0.0.0", "http"), Socket(53, "UDP", "0.0.0.0", "udp"))
    assert [made.answer(path, 1.0).status for path in ("/", "/healthz", "/ready", "/nope")] == [200, 503, 503, 404]
    assert made.answer("/", 1.0) == Answer(200, "web-0\n")
    assert not made.listens(0.1) and made.listens(0.3)


def test_answers_change_with_age():
    made = serve(
        launch("--http=80", "--health=/h", "--fail-after=60s", "--answer-after=2s", "--slow-for=10s", "--slow-every=1m")
    )
    assert [made.answer("/h", age).after for age in (5, 15, 65, 75)] == [2.0, 0.0, 2.0, 0.0]
    assert [made.answer("/h", age).status for age in (59, 61)] == [200, 503]
    assert made.answer("/", 61).status == 200
    ages, age = [], 0.0
    while age < 130 and (following := made.next_change(age)) is not None:
        ages.append(following)
        age = following
    assert ages == [0.2, 10.0, 60.0, 70.0, 120.0, 130.0]


@pytest.mark.parametrize(
    ("argv", "end"),
    [
        (["--exit-after=2s", "--exit-code=3"], End(2.0, 3)),
        (["--exit-after=500ms"], End(0.5, 0)),
        (["--oom-after=1m"], End(60.0, 137, "OOMKilled")),
        ([], None),
    ],
)
def test_ends(argv, end):
    assert serve(launch("--http=80", *argv)).end == end


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (
            ["--http=tcp://10.96.0.1:80"],
            'server: invalid argument "tcp://10.96.0.1:80" for "--http" flag: want 1 to 65535',
        ),
        (["--http=0"], 'server: invalid argument "0" for "--http" flag: want 1 to 65535'),
        (["--http"], "server: flag needs an argument: --http"),
        (["--nope=1"], "server: unknown flag: --nope=1"),
        (["serve"], "server: unexpected argument: serve"),
        (["--exit-after=soon"], 'server: invalid argument "soon" for "--exit-after" flag: not a duration'),
    ],
)
def test_wrong_arguments_end_it_with_a_word(argv, line):
    made = serve(launch(*argv))
    assert ([one.text for one in made.lines], made.end) == ([line], End(0.0, 2))


@given(st.lists(st.text(max_size=12) | st.sampled_from(["--http", "--status", "--bind=", "--http=80"]), max_size=5))
def test_no_arguments_break_it(argv):
    made = serve(launch(*argv))
    assert made.sockets or made.end or not argv or made.lines == () or made.files


def test_agnhost():
    made = agnhost(Launch(("/agnhost", "netexec", "--http-port=8080"), {}, launch().pod, "app"))
    assert made.sockets == (Socket(8080), Socket(8081, "UDP", speaks="udp"))
    assert made.answer("/hostname", 1.0).body == "web-0"
    assert made.answer("/anything", 1.0).status == 200
    wrong = agnhost(Launch(("/agnhost", "nope"), {}, launch().pod, "app"))
    assert wrong.lines[0].text == 'Error: unknown command "nope" for "app"'
