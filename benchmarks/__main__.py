"""Measures, prints a table, and exits 1 if a goal is missed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SVCDOCTOR = str(Path(sys.executable).with_name("svcdoctor"))
CASE = "tests/cases/iptables-selector-typo"

YARDSTICK = [sys.executable, "-c", "import typer"]
HELP = [SVCDOCTOR, "--help"]
DIAGNOSE = [SVCDOCTOR, "diagnose", "invoice", "-n", "billing", "--snapshot", CASE]
DEMO = [SVCDOCTOR, "diagnose", "web", "--lab", "selector-typo"]
DIAGNOSIS_FOUND = 1  # the exit code when there are findings

DECODINGS = 3
STARTS = 15


class Figure(NamedTuple):
    """One line of the table: both are in ``unit``; a goal is an upper bound."""

    what: str
    measured: float
    goal: float
    unit: str
    yardstick: str

    @property
    def met(self) -> bool:
        return self.measured <= self.goal

    def __str__(self) -> str:
        measured, goal = f"{self.measured:.2f} {self.unit}", f"<= {self.goal:g} {self.unit}"
        return f"{self.what:<42} {measured:>10}  {goal:<10} {'yes' if self.met else 'NO':<4} {self.yardstick}"


def decoding() -> Iterator[Figure]:
    """10,000 pods from JSON to a Snapshot, beside json.loads on the same bytes."""
    with TemporaryDirectory() as folder:
        _output([sys.executable, "-m", "benchmarks.pods", folder])
        size = sum(page.stat().st_size for page in Path(folder).iterdir()) / 1e6
        ours, loads = (_median_decoding(way, folder) for way in ("ours", "json"))
    what = f"decode {ours.pods:,} pods ({size:.0f} MB)"
    yield Figure(f"{what}, CPU", ours.cpu, 0.6, "s", f"{_share(ours.cpu, loads.cpu)} of json.loads ({loads.cpu:.2f} s)")
    yield Figure(
        f"{what}, peak", ours.peak, 160, "MB", f"{_share(ours.peak, loads.peak)} of json.loads ({loads.peak:.0f} MB)"
    )


class Decoding(NamedTuple):
    """What one process of benchmarks.decode says; ``cpu`` in seconds, ``peak`` in MB of resident memory."""

    pods: int
    cpu: float
    peak: float


def _median_decoding(way: str, folder: str) -> Decoding:
    said = [_output([sys.executable, "-m", "benchmarks.decode", way, folder]).split() for _ in range(DECODINGS)]
    return Decoding(int(said[0][0]), median(float(run[1]) for run in said), median(float(run[2]) for run in said))


def policies() -> Iterator[Figure]:
    """10,000 policies over 100,000 pods: one client's way to a Service of ten endpoints, after decoding."""
    for layout, what in (("spread", "over 500 namespaces"), ("crowded", "in one namespace")):
        seconds = median(float(_output([sys.executable, "-m", "benchmarks.policies", layout])) for _ in range(3))
        yield Figure(f"10,000 policies {what}, CPU", seconds, 0.1, "s", "10 endpoints, both directions")


def starting() -> Iterator[Figure]:
    """Whole processes, alternating so that a change of the machine's speed meets all of them."""
    typer, help_, diagnose = _alternating(YARDSTICK, HELP, DIAGNOSE)
    yardstick = f'python -c "import typer" ({typer * 1000:.0f} ms)'
    yield Figure("svcdoctor --help, whole process", help_ / typer, 1.3, "x", f"{help_ * 1000:.0f} ms, {yardstick}")
    yield Figure("svcdoctor diagnose, recorded snapshot", diagnose, 0.5, "s", f"{diagnose / typer:.1f} x {yardstick}")


def labs() -> Iterator[Figure]:
    """A cluster of 10,000 Services and 50,000 pods, and the demo: a small one that is asked and ended."""
    seconds, peak = map(float, _output([sys.executable, "-m", "benchmarks.lab", "10000", "50000"]).split())
    yield Figure("lab, 10,000 Services, 50,000 pods: serving", seconds, 30, "s", "from nothing")
    yield Figure("lab, the same, peak", peak, 2000, "MB", "")
    typer, demo = _alternating(YARDSTICK, DEMO)
    yield Figure("svcdoctor diagnose --lab, whole process", demo, 5, "s", f"{demo / typer:.1f} x import typer")


def _alternating(*commands: list[str]) -> tuple[float, ...]:
    """The median wall time of each command, in seconds."""
    rounds = [[_seconds(command) for command in commands] for _ in range(STARTS)]
    return tuple(median(times) for times in zip(*rounds, strict=True))


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    _output(command)
    return time.perf_counter() - start


def _output(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != (DIAGNOSIS_FOUND if command in (DIAGNOSE, DEMO) else 0):
        sys.exit(f"{' '.join(command)} exited {done.returncode}\n{done.stderr}")
    return done.stdout


def main() -> int:
    print(f"{'figure':<42} {'measured':>10}  {'goal':<10} {'met':<4} beside")
    missed = 0
    for measure in (decoding, starting, labs):
        for figure in measure():
            print(figure, flush=True)
            missed += not figure.met
    return 1 if missed else 0


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}"


if __name__ == "__main__":
    sys.exit(main())
