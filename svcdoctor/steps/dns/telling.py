"""How pods, logs and answers of name servers are put as evidence."""

from collections.abc import Iterable

from ...model.diagnosis import Evidence
from ...model.observation import DnsAnswer
from ...model.pod import Pod
from ..words import count, quote, some
from . import outcomes
from .logs import Sign
from .view import View


def state(pod: Pod) -> str:
    """Why a pod is not ready, as short as it can be said."""
    for status in pod.status.container_statuses:
        if status.state.waiting and status.state.waiting.reason:
            return f"{status.name}: {status.state.waiting.reason}, {count(status.restart_count, 'restart')}"
        if status.state.terminated:
            return f"{status.name}: ended with exit code {status.state.terminated.exit_code}"
    return "ready" if pod.ready else f"{pod.status.phase or 'of unknown phase'}, not ready"


def told_by(view: View, pod: str, sign: Sign) -> Evidence:
    service = view.servers.service
    namespace = service.namespace if service else ""
    return quote(f"Log of {namespace}/{pod}", f"{sign.times}x: {sign.line}")


def evidence(view: View, answers: Iterable[DnsAnswer], most: int = 4) -> list[Evidence]:
    """Answers, the bad ones first."""
    ranked = sorted(answers, key=lambda a: -outcomes.WORST.index(outcomes.outcome(view, a)))
    return [Evidence(place(answer), words(answer)) for answer in ranked[:most]]


def place(answer: DnsAnswer) -> str:
    way = f"through {answer.path}" if answer.path else f"at {answer.server or 'its resolver'} over {answer.transport}"
    return f"Asked {way}" + (f" by {answer.from_}" if answer.from_ else "")


def words(answer: DnsAnswer) -> str:
    said = some(record.data for record in answer.answers) if answer.answers else ""
    said = answer.error or f"{answer.rcode} {said}".strip()
    return f"{answer.name} {answer.type}: {said}{', truncated' if answer.truncated else ''}, {answer.ms:.0f} ms"


def asked(view: View) -> list[Evidence]:
    """What the client was answered, and the name servers' pods themselves."""
    answers = {*outcomes.at_address(view), *outcomes.direct(view)}
    return evidence(view, sorted(answers, key=lambda a: (a.path, a.server, a.transport, a.type)))
