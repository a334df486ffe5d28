"""The commands of a small busybox, each a script of effects."""

from collections.abc import Callable

from .arguments import BadArguments, seconds
from .effects import Output, Read, Script, Sleep, World

FOREVER = 1e9
"""Seconds that nobody waits out."""
Builtin = Callable[[tuple[str, ...], World], Script]


def _echo(argv: tuple[str, ...], world: World) -> Script:
    bare = argv[1:2] == ("-n",)
    yield Output((" ".join(argv[2 if bare else 1 :]) + ("" if bare else "\n")).encode())
    return 0


def _true(argv: tuple[str, ...], world: World) -> Script:
    return 0
    yield


def _false(argv: tuple[str, ...], world: World) -> Script:
    return 1
    yield


def _sleep(argv: tuple[str, ...], world: World) -> Script:
    try:
        yield Sleep(sum(FOREVER if text in ("infinity", "inf") else seconds("sleep", text) for text in argv[1:]))
    except BadArguments:
        yield Output(f"sleep: invalid number '{argv[1]}'\n".encode(), True)
        return 1
    return 0


def _env(argv: tuple[str, ...], world: World) -> Script:
    yield Output("".join(f"{name}={value}\n" for name, value in world.env.items()).encode())
    return 0


def _printenv(argv: tuple[str, ...], world: World) -> Script:
    if len(argv) == 1:
        return (yield from _env(argv, world))
    for name in argv[1:]:
        if name in world.env:
            yield Output(f"{world.env[name]}\n".encode())
    return int(not all(name in world.env for name in argv[1:]))


def _hostname(argv: tuple[str, ...], world: World) -> Script:
    yield Output(f"{world.hostname}\n".encode())
    return 0


def _cat(argv: tuple[str, ...], world: World) -> Script:
    code = 0
    for path in argv[1:] or ("-",):
        if path == "-":
            while data := (yield Read()):
                yield Output(data)
        elif (content := world.file(path)) is not None:
            yield Output(content)
        else:
            yield Output(f"cat: can't open '{path}': No such file or directory\n".encode(), True)
            code = 1
    return code


def _test(argv: tuple[str, ...], world: World) -> Script:
    words = argv[1:-1] if argv[0] == "[" else argv[1:]
    match words:
        case ("-f" | "-e" | "-s" | "-r", path):
            holds = world.file(path) is not None
        case ("-n", text):
            holds = bool(text)
        case ("-z", text):
            holds = not text
        case (left, "=" | "==", right):
            holds = left == right
        case (left, "!=", right):
            holds = left != right
        case _:
            holds = bool(words)
    return int(not holds)
    yield


BUILTINS: dict[str, Builtin] = {
    "echo": _echo,
    "true": _true,
    ":": _true,
    "false": _false,
    "sleep": _sleep,
    "env": _env,
    "printenv": _printenv,
    "hostname": _hostname,
    "cat": _cat,
    "test": _test,
    "[": _test,
}
