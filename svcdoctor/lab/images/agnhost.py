"""``agnhost``, as Kubernetes' own tests use it: netexec, serve-hostname and pause."""

from collections.abc import Callable, Sequence

from .arguments import BadArguments, parse_flags, port, seconds
from .program import Answer, Line, Program, Socket, crashed
from .registry import Launch

_NETEXEC = dict.fromkeys(("http-port", "udp-port", "http-override", "delay-shutdown"), True)
START = 0.4
"""Seconds until it listens: the first probe usually comes too early."""


def agnhost(launch: Launch) -> Program:
    """Wrong arguments end it, as cobra ends a command."""
    subcommand, *rest = launch.argv[1:] or ["pause"]
    try:
        return _SUBCOMMANDS[subcommand](rest, launch.hostname)
    except KeyError:
        return crashed(f'Error: unknown command "{subcommand}" for "app"', "Run 'app --help' for usage.")
    except BadArguments as error:
        return crashed(f"Error: {error}")


def _netexec(argv: Sequence[str], hostname: str) -> Program:
    flags = parse_flags(argv, _NETEXEC)
    http = port("http-port", flags.get("http-port", ["8080"])[-1])
    udp = flags.get("udp-port", ["8081"])[-1]
    udp_sockets = (Socket(port("udp-port", udp), "UDP", speaks="udp"),) if udp != "-1" else ()
    return Program(
        sockets=(Socket(http), *udp_sockets),
        answers={"/hostname": Answer(200, hostname), "/hostName": Answer(200, hostname), "/healthz": Answer(200)},
        otherwise=Answer(200, "NOW: 2026-11-23 00:00:00 +0000 UTC"),
        starts_after=START,
        lines=(Line(0.0, f"Started HTTP server on port {http}"), *(Line(0.0, _udp(udp)) for _ in udp_sockets)),
        stops_after=seconds("delay-shutdown", flags.get("delay-shutdown", ["0"])[-1]),
    )


def _udp(number: str) -> str:
    return f"Started UDP server on port  {number}"


def _serve_hostname(argv: Sequence[str], hostname: str) -> Program:
    flags = parse_flags(argv, {"http": False, "tcp": False, "udp": False, "close": False, "port": True})
    number = port("port", flags.get("port", ["9376"])[-1])
    sockets = [Socket(number)] if flags.get("http", ["true"]) == ["true"] else []
    sockets += [Socket(number, "UDP", speaks="udp")] if "udp" in flags else []
    return Program(sockets=tuple(sockets), otherwise=Answer(200, hostname), starts_after=START, stop_code=2)


def _pause(argv: Sequence[str], hostname: str) -> Program:
    return Program(lines=(Line(0.0, "Paused"),))


_SUBCOMMANDS: dict[str, Callable[[Sequence[str], str], Program]] = {
    "netexec": _netexec,
    "serve-hostname": _serve_hostname,
    "pause": _pause,
}
