"""svcdoctor lab: a cluster to break, on this machine, with no cluster at all."""

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from ..errors import ExitCode, UsageError
from . import console
from .names import unknown

if TYPE_CHECKING:
    from ..lab.faults.fault import Fault
    from ..lab.serve import Lab

lab = typer.Typer(
    name="lab",
    help="A cluster to break: embedded, on loopback, with no root and no container runtime.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DEEDS = ("slow", "throttle", "expire", "gone", "garbage", "truncate", "drop", "half-open")

FaultName = Annotated[
    str, typer.Argument(metavar="FAULT", show_default=False, help="Its name, as `lab faults` lists it.")
]
Running = Annotated[
    Path | None, Option("--kubeconfig", metavar="FILE", help="The lab's kubeconfig; without it the lab started last.")
]


@lab.command()
def up(
    fault: Annotated[str | None, Option("--fault", metavar="NAME", help="What is wrong in it from the start.")] = None,
    nodes: Annotated[int, Option(min=1, max=2500, help="How many nodes.")] = 2,
    proxy_mode: Annotated[
        str | None, Option(metavar="MODE", help="iptables, nftables or ipvs.", show_default="iptables")
    ] = None,
    services: Annotated[int, Option(min=0, max=60_000, help="Extra Services, for size.")] = 0,
    pods: Annotated[int, Option(min=0, max=250_000, help="Extra pods, for size.")] = 0,
    port: Annotated[int, Option(min=0, max=65535, help="The API server's port; 0 takes a free one.")] = 0,
    speed: Annotated[float, Option(min=0.01, max=10_000, help="How fast the lab's time runs.")] = 1.0,
) -> ExitCode:
    """Start a lab and keep it running until Ctrl-C.

    Prints its kubeconfig and what to try.
    """
    from ..lab.base import PROXY_MODES, Shape
    from ..lab.serve import start

    chosen = find_fault(fault or "healthy")
    mode = proxy_mode or chosen.modes[0]
    if mode not in PROXY_MODES:
        raise unknown("proxy mode", mode, PROXY_MODES)
    if mode not in chosen.modes:
        raise UsageError(f"{chosen.name} is not in {mode} mode", f"leave out --proxy-mode for {chosen.modes[0]}")
    with ExitStack() as stack:
        with console.progress("Starting the lab"):
            running = stack.enter_context(start(Shape(nodes, mode, services, pods), chosen, port, speed))
        wait = _until_told_to_end()
        console.write(_greeting(running, chosen))
        wait()
    console.say("the lab has ended, and nothing of it is left")
    return ExitCode.OK


def _until_told_to_end() -> Callable[[], None]:
    """Takes SIGINT and SIGTERM from now on, however many; what it returns waits for the first.

    A pipe, not an Event: a handler that sets one waits for ever where it interrupts the waiter that holds its lock.
    """
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        os.read(ours, 1)

    return wait


def _greeting(running: "Lab", fault: "Fault") -> str:
    ask = f"svcdoctor diagnose {fault.ask}" + (f" --client {fault.client}" if fault.client else "")
    ask += " --active" if fault.active else ""
    return "\n".join(
        (
            f"The lab runs at {running.url}; Ctrl-C ends it.",
            f"Wrong in it: {fault.name}, {fault.line}.",
            "",
            "In another terminal:",
            "",
            f"    export KUBECONFIG={running.kubeconfig}",
            f"    {ask}",
            "    kubectl get pods,services,endpointslices -o wide",
            "    svcdoctor lab break selector-typo",
            "    svcdoctor lab heal",
            "",
            f"Its name server listens on 127.0.0.1:{running.dns_port} (UDP and TCP):",
            "",
            f"    dig @127.0.0.1 -p {running.dns_port} web.default.svc.cluster.local",
            "",
        )
    )


@lab.command("break")
def break_(name: FaultName, kubeconfig: Running = None) -> ExitCode:
    """Break a running lab: heal it, then let this fault happen."""
    from ..lab.running import newest, tell

    fault = find_fault(name)
    tell(kubeconfig or newest(), "break", name=fault.name)
    shown = f"; it takes about {fault.waits:.0f} s of the lab's time to show" if fault.waits else ""
    console.say(f"{fault.name}: {fault.line}{shown}")
    return ExitCode.OK


@lab.command()
def heal(kubeconfig: Running = None) -> ExitCode:
    """Make a running lab well again."""
    from ..lab.running import newest, tell

    tell(kubeconfig or newest(), "heal")
    console.say("healed; pods that have to start anew need a few seconds")
    return ExitCode.OK


@lab.command()
def misbehave(
    deed: Annotated[str, typer.Argument(metavar="DEED", help=", ".join(DEEDS) + "; or clear.")],
    path: Annotated[str, Option(metavar="PATTERN", help="Of these request paths only: /api/v1/pods*.")] = "*",
    verb: Annotated[str, Option(metavar="VERB", help="Of this verb only: get, list, watch, create ...")] = "*",
    times: Annotated[int | None, Option(min=1, help="So many times, then no more.")] = None,
    seconds: Annotated[float, Option(min=0, help="How slow, or the Retry-After of throttle.")] = 1.0,
    after: Annotated[int, Option(min=0, help="A watch goes wrong after so many events.")] = 0,
    kubeconfig: Running = None,
) -> ExitCode:
    """Let a running lab's API server behave badly, to see what your tools make of it."""
    from ..lab.running import newest, tell

    if deed not in (*DEEDS, "clear"):
        raise unknown("deed", deed, (*DEEDS, "clear"))
    place = kubeconfig or newest()
    if deed == "clear":
        tell(place, "behave")
        console.say("the API server behaves again")
        return ExitCode.OK
    tell(place, "misbehave", deed=deed, path=path, verb=verb, times=times, seconds=seconds, after=after)
    console.say(f"{deed}: from now on; svcdoctor lab misbehave clear ends it")
    return ExitCode.OK


@lab.command()
def forbid(
    verb: Annotated[str, typer.Argument(metavar="VERB", help="get, list, watch, create ...; * for all.")],
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="pods, pods/log, endpointslices ...")],
    namespace: Annotated[str, Option("--namespace", "-n", metavar="NS", help="In this namespace only.")] = "*",
    kubeconfig: Running = None,
) -> ExitCode:
    """Take a permission away, from everybody; `lab misbehave clear` gives it back."""
    from ..lab.running import newest, tell

    tell(kubeconfig or newest(), "deny", verb=verb, resource=resource, namespace=namespace)
    console.say(f"forbidden: {verb} {resource}")
    return ExitCode.OK


@lab.command()
def faults() -> ExitCode:
    """List what can be wrong, by the step that finds it."""
    from ..lab.faults import FAULTS, HEALTHY

    width = 2 + max(len(fault.name) for found in FAULTS.values() for fault in found)
    console.write(_row(HEALTHY.name, HEALTHY.line, width))
    for step, found in FAULTS.items():
        console.write(f"\n{step}\n" + "".join(_row(f"  {fault.name}", fault.line, width) for fault in found))
    return ExitCode.OK


def _row(name: str, line: str, width: int) -> str:
    """A name and what is said of it, within 80 columns."""
    first, second = f"{name:{width}}  ", " " * (width + 2)
    return fill(line, 80, initial_indent=first, subsequent_indent=second) + "\n"


@lab.command()
def clean() -> ExitCode:
    """Remove what labs left behind that were killed."""
    from ..lab.running import clean

    removed = clean()
    console.say(*(f"removed {folder}" for folder in removed) if removed else ("nothing was left behind",))
    return ExitCode.OK


def find_fault(name: str) -> "Fault":
    """The fault of that name. Raises UsageError, with the names that are near."""
    from ..lab.faults import BY_NAME

    if name not in BY_NAME:
        raise unknown("fault", name, tuple(BY_NAME), "svcdoctor lab faults lists them")
    return BY_NAME[name]
