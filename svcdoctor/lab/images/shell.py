"""A small shell: command lines and scripts become effects, and effects the life of a container's main process."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .commands import BUILTINS, FOREVER
from .effects import Effect, Extern, NotFound, Output, Read, Script, Sleep, World, fed, led
from .program import End, Line, Program
from .words import ShellError, Simple, expand, read_script

Tool = Callable[[Sequence[str]], tuple[str, str, int]]
"""A further program of an image: from its words to its stdout, its stderr and its exit code."""
SHELLS = ("sh", "/bin/sh", "bash", "/bin/bash", "ash")


def interpret(argv: Sequence[str], world: World) -> Script:
    """One command line, a shell's ``-c`` or a plain one. Raises NotFound when there is no such program."""
    name = argv[0] if argv else ""
    if name not in SHELLS and name not in world.extern and name.rpartition("/")[2] not in BUILTINS:
        raise NotFound(name)
    return _run(tuple(argv), world)


def outcome(script: Script, tools: Mapping[str, Tool] = {}, limit: int = 1000) -> Program:
    """What a container's main process does whose script this is: alone, with nothing on stdin."""
    passed = 0.0
    lines: list[Line] = []
    rest = {True: b"", False: b""}
    answer: Any = None
    try:
        while passed < FOREVER and len(lines) < limit:
            effect = script.send(answer)
            answer = b"" if isinstance(effect, Read) else None
            written = [effect] if isinstance(effect, Output) else []
            if isinstance(effect, Sleep):
                passed += effect.seconds
            elif isinstance(effect, Extern):
                out, err, answer = tools[effect.argv[0]](effect.argv)
                written = [Output(out.encode()), Output(err.encode(), True)]
            for said in written:
                *whole, rest[said.error] = (rest[said.error] + said.data).split(b"\n")
                lines += [Line(passed, text.decode("utf-8", "replace")) for text in whole]
    except StopIteration as stop:
        lines += [Line(passed, text.decode("utf-8", "replace")) for text in rest.values() if text]
        return Program(lines=tuple(lines), end=End(passed, stop.value), stops_after=None)
    return Program(lines=tuple(lines), stops_after=None)


def _run(argv: tuple[str, ...], world: World) -> Script:
    name = argv[0] if argv else ""
    if name in world.extern:
        return int((yield Extern(argv)))
    if name in SHELLS:
        return (yield from _shell(argv, world))
    builtin = BUILTINS.get(name.rpartition("/")[2])
    if builtin is None:
        yield Output(f"sh: {name}: not found\n".encode(), True)
        return 127
    return (yield from builtin(argv, world))


def _shell(argv: tuple[str, ...], world: World) -> Script:
    if len(argv) > 2 and argv[1].startswith("-") and argv[1].endswith("c"):
        text = argv[2]
    else:
        text = ""
        while data := (yield Read()):
            text += data.decode("utf-8", "replace")
    try:
        commands = read_script(text)
    except ShellError as error:
        yield Output(f"sh: {error}\n".encode(), True)
        return 2
    return (yield from _Session(world).run(commands))


class _Session:
    """A shell's variables, and the exit code of its last command."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._variables = dict(world.env)
        self._code = 0

    def run(self, commands: Sequence[Simple]) -> Script:
        piped = b""
        for simple, after in zip(commands, [*commands[1:], None], strict=False):
            if (simple.follows == "&&" and self._code) or (simple.follows == "||" and not self._code):
                continue
            words = self._words(simple)
            if words[:1] == ("exit",):
                return int(words[1]) % 256 if words[1:] and words[1].isdigit() else self._code
            script = _redirected(simple, self._start(words))
            if simple.follows == "|":
                script = fed(script, piped)
            kept: list[bytes] = []
            if after is not None and after.follows == "|":
                script = led(script, kept.append, lambda data: Output(data, True))
            self._code = yield from script
            piped = b"".join(kept)
            if words[:1] == ("exec",):
                break
        return self._code

    def _words(self, simple: Simple) -> tuple[str, ...]:
        """The words as they are after expansion; assignments before them are carried out."""
        words = tuple(expand(word, self._value) for word in simple.words)
        while words and words[0].partition("=")[0].isidentifier() and "=" in words[0]:
            name, _, value = words[0].partition("=")
            self._variables[name], words = value, words[1:]
        return words

    def _start(self, words: tuple[str, ...]) -> Script:
        world = World(self._variables, self._world.hostname, self._world.file, self._world.extern)
        return _run(words[1:] if words[:1] == ("exec",) else words or ("true",), world)

    def _value(self, name: str) -> str:
        return str(self._code) if name == "?" else self._variables.get(name, "")


def _redirected(simple: Simple, script: Script) -> Script:
    """``script`` with its output where the redirections lead, which hold from left to right."""
    if not simple.redirects:
        return script
    targets = {False: "1", True: "2"}
    for redirect in simple.redirects:
        source, _, target = redirect.replace(">>", ">").partition(">")
        there = targets[target[1:] == "2"] if target.startswith("&") else target
        for error in (False, True) if source == "&" else (source == "2",):
            targets[error] = there

    def write(data: bytes, target: str) -> Effect | None:
        return Output(data, target == "2") if target in ("1", "2") else None

    return led(script, lambda data: write(data, targets[False]), lambda data: write(data, targets[True]))
