"""A running lab, as its users meet it: through its kubeconfig."""

from contextlib import contextmanager

from msgspec import structs

from svcdoctor.cli.target import parse
from svcdoctor.collect.api import connect
from svcdoctor.collect.asking_names import Ways, ask_names
from svcdoctor.collect.gather import gather
from svcdoctor.collect.kubeconfig import Options
from svcdoctor.diagnose import diagnose
from svcdoctor.lab.base import Shape
from svcdoctor.lab.faults import HEALTHY
from svcdoctor.lab.serve import start
from svcdoctor.model.case import Case


@contextmanager
def running(fault=HEALTHY, **shape):
    """A lab that is ill with ``fault``, in the proxy mode in which that can be."""
    with start(Shape(**{"proxy_mode": fault.modes[0], **shape}), fault) as lab:
        yield lab


def ask(lab, fault=HEALTHY):
    """What a diagnosis reads and says of the patient; the target it was asked for comes first."""
    api = connect(Options(kubeconfig=lab.kubeconfig))
    try:
        target = parse(fault.ask, None).target(api.namespace, fault.client or None)
        gathered = gather(api, target, keep=True)
        if fault.active:
            observed = ask_names(api, gathered.snapshot, target, Ways(here=False, active=True, image=""), print)
            gathered = structs.replace(gathered, snapshot=observed)
    finally:
        api.close()
    return target, gathered, diagnose(Case(gathered.snapshot, target))
