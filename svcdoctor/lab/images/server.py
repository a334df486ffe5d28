"""``registry.lab/server``: a web server whose every fault stands in its arguments, so that the pod spec shows it.

--http=PORT --https=PORT --tcp=PORT --udp=PORT --grpc=PORT   what it listens on; repeatable
--bind=ADDRESS            where (default: everywhere); 127.0.0.1, 0.0.0.0 and :: have their usual meaning
--health=PATH             a path beside / and /hostname that answers; all others are 404; repeatable
--status=CODE             what the health paths answer (default 200)
--start-after=20s         it listens only then        --fail-after=60s   from then on the health paths answer 503
--answer-after=3s         how long each answer takes  --slow-for=30s --slow-every=60s   ... in that part of time only
--ready-file=PATH --ready-after=20s   a file that appears then, for exec probes
--exit-after=2s --exit-code=1 --oom-after=30s   its end
--stop-after=5s|never     how long it goes on after SIGTERM
--log=TEXT                a line that it logs at its start; repeatable
"""

from collections.abc import Sequence

from .arguments import BadArguments, parse_flags, port, seconds, whole_number
from .program import ANY, Answer, End, Line, Program, Socket, crashed
from .registry import Launch

_LISTENS = {
    "http": ("TCP", "http"),
    "https": ("TCP", "https"),
    "tcp": ("TCP", "tcp"),
    "udp": ("UDP", "udp"),
    "grpc": ("TCP", "grpc"),
}
_FLAGS = dict.fromkeys(
    (
        *_LISTENS,
        *("bind", "health", "status", "start-after", "fail-after", "answer-after", "slow-for", "slow-every"),
        *("ready-file", "ready-after", "exit-after", "exit-code", "oom-after", "stop-after", "log"),
    ),
    True,
)


def serve(launch: Launch) -> Program:
    """The program of these arguments; wrong ones end it with exit code 2 and a line that says so."""
    try:
        return _program(launch.argv[1:], launch.hostname)
    except BadArguments as error:
        return crashed(f"server: {error}", code=2)


def _program(argv: Sequence[str], hostname: str) -> Program:
    flags = parse_flags(argv, _FLAGS)

    def duration(name: str, default: float = 0.0) -> float:
        return seconds(name, flags[name][-1]) if name in flags else default

    def number(name: str, default: int, high: int) -> int:
        return whole_number(name, flags[name][-1], 0, high) if name in flags else default

    health = tuple(flags.get("health", ()))
    slow = "slow-every" in flags
    late = 0.0 if slow else duration("answer-after")
    return Program(
        sockets=_sockets(flags),
        answers={
            **dict.fromkeys(("/", "/hostname"), Answer(200, f"{hostname}\n", late)),
            **dict.fromkeys(health, Answer(number("status", 200, 599), "ok\n", late)),
        },
        otherwise=Answer(404, "404 page not found\n", late),
        serving="SERVING" if number("status", 200, 599) < 400 else "NOT_SERVING",
        starts_after=duration("start-after", 0.2),
        sick_after=duration("fail-after") if "fail-after" in flags else None,
        sick=health,
        slow_for=duration("slow-for"),
        slow_every=duration("slow-every"),
        slowness=duration("answer-after") if slow else 0.0,
        files={path: (duration("ready-after"), b"ready\n") for path in flags.get("ready-file", ())},
        lines=_lines(flags),
        end=_end(duration("exit-after"), duration("oom-after"), number("exit-code", 0, 255), flags),
        stops_after=None if flags.get("stop-after", [""])[-1] == "never" else duration("stop-after"),
    )


def _sockets(flags: dict[str, list[str]]) -> tuple[Socket, ...]:
    address = flags.get("bind", [ANY])[-1]
    return tuple(
        Socket(port(name, text), protocol, address, speaks)
        for name, (protocol, speaks) in _LISTENS.items()
        for text in flags.get(name, ())
    )


def _lines(flags: dict[str, list[str]]) -> tuple[Line, ...]:
    said = [Line(0.0, text) for text in flags.get("log", ())]
    where = flags.get("bind", [""])[-1]
    start = seconds("start-after", flags["start-after"][-1]) if "start-after" in flags else 0.2
    said += [Line(start, f"listening on {where}:{text} ({name})") for name in _LISTENS for text in flags.get(name, ())]
    return tuple(said)


def _end(exit_after: float, oom_after: float, code: int, flags: dict[str, list[str]]) -> End | None:
    if "oom-after" in flags:
        return End(oom_after, 137, "OOMKilled")
    return End(exit_after, code) if "exit-after" in flags else None
