"""The lab's cluster: all its parts, how it comes to life, how it is broken and healed."""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from . import base
from .acts import Hands, perform
from .api.access import MASTERS, Access, User
from .api.allocate import Ranges
from .api.server import ApiServer
from .api.status import Refusal
from .base import Shape, nodes_needed, pod_networks
from .clock import Clock
from .controllers.endpoints import EndpointsController
from .controllers.endpointslice import EndpointSliceController
from .controllers.loop import Controller
from .controllers.mirroring import MirroringController
from .controllers.port_repair import NodePortRepair
from .controllers.workloads import workload_controllers
from .crowd import crowd
from .dns import resolv_conf, serve
from .faults import BY_NAME, HEALTHY
from .faults.fault import Act, Fault, Log, Wait
from .healing import Well
from .insides import Insides
from .kubelet import Kubelets
from .kubeproxy import KubeProxies
from .nameservers import NameServers
from .programs import images
from .store import Store
from .system import system

Json = dict[str, Any]

HISTORY = timedelta(hours=1)
"""How old a lab is when it begins to serve."""
FEW = 20
SHORT_HISTORY = timedelta(minutes=20)
"""The same with more than so many nodes: every heartbeat of each would be lived through."""
SETTLING = timedelta(minutes=2)
"""In which the well cluster has come up."""
RANGES = Ranges(cidrs=base.SERVICE_CIDRS)
ADMINISTRATOR = User("lab-admin", (MASTERS,))


class Cluster:
    """Belongs to one thread. Made dead; `boot` lives its first hour through."""

    def __init__(self, shape: Shape, now: datetime, token: str) -> None:
        self.shape = shape
        self.token = token
        self.fault = HEALTHY
        self.clock = Clock(now - (HISTORY if nodes_needed(shape) <= FEW else SHORT_HISTORY))
        self.store = Store(self.clock, shape.seed)
        if shape.services or shape.pods:  # before anybody looks at the store
            crowd(self.store, _well(now).store, shape)
        self.hands = Hands(self.store, RANGES)
        self.well = Well(self.store)
        self.proxies = KubeProxies(self.store, shape.proxy_mode, pod_networks(nodes_needed(shape)))
        self.names = NameServers(self.store)
        self.kubelets = Kubelets(self.store, images(self.proxies, self.names.ask, self._resolv_conf))
        self.insides = Insides(self.kubelets, self.names)
        self.controllers: dict[str, Controller] = {made.name: made for made in _controllers(self.store)}
        self.api = ApiServer(self.store, Access({token: ADMINISTRATOR}), self.insides, RANGES, self._controls())
        self._now = now

    # -------------------------------------------------------------------------------------------------------- its life

    def boot(self, fault: Fault = HEALTHY) -> None:
        """Lives through the hour before now. ``fault`` begins so early that it shows."""
        for controller in self.controllers.values():
            controller.start(look=False)
        self.hands.plant(base.node(number) for number in range(1, nodes_needed(self.shape) + 1))
        self.kubelets.begin()
        self.hands.apply([*system(self.shape), *base.patient()])
        self.clock.run_until(self.clock.now + SETTLING)
        self.well.remember()
        self.clock.run_until(self._now - timedelta(seconds=max(fault.age, fault.waits)))
        self.fault = fault
        self._happen(fault.acts, self._pass)
        self.clock.run_until(self._now)

    async def open(self, stack: AsyncExitStack) -> None:
        """Opens the name server's sockets, closed by ``stack``."""
        serving = await serve(self.names.pods)
        stack.push_async_callback(serving.close)
        self.insides.dns_port = serving.port

    def app(self) -> web.Application:
        return self.api.app()

    def _pass(self, seconds: float, rest: Callable[[], None]) -> None:
        """Lets simulated time pass."""
        self.clock.run_until(self.clock.now + timedelta(seconds=seconds))
        rest()

    def _later(self, seconds: float, rest: Callable[[], None]) -> None:
        """Goes on when the lab's clock, which runs, is so far - unless somebody healed or changed the cluster since."""
        fault = self.fault

        def go_on() -> None:
            if self.fault is fault:
                with suppress(Refusal, LookupError):
                    rest()

        self.clock.after(seconds, go_on)

    def _happen(self, acts: tuple[Act, ...], wait: Callable[[float, Callable[[], None]], None]) -> None:
        for number, act in enumerate(acts):
            if isinstance(act, Wait):
                wait(act.seconds, lambda: self._happen(acts[number + 1 :], wait))  # noqa: B023
                return
            perform(act, self.hands, self)

    # --------------------------------------------------------------------------------------------------- broken, healed

    def break_(self, name: str) -> Json:
        """Makes the cluster well, then lets a fault happen. Raises LookupError, ValueError where it can't be here."""
        fault = BY_NAME.get(name)
        if fault is None:
            raise LookupError(f"no fault is called {name}")
        if self.shape.proxy_mode not in fault.modes:
            modes = " or ".join(fault.modes)
            raise ValueError(f"{name} needs kube-proxy in mode {modes}, this lab has {self.shape.proxy_mode}")
        self.heal()
        self.fault = fault
        self._happen(fault.acts, self._later)
        return {"fault": name}

    def heal(self) -> Json:
        """Takes back whatever was done: by a fault, or by hand."""
        self.fault = HEALTHY
        for mended in (self.names, self.proxies, self.insides):
            mended.heal()
        for controller in self.controllers.values():
            controller.start()
        self.kubelets.begin()
        self.well.restore()
        return {"fault": self.fault.name}

    # ------------------------------------------------------------------------------------ what lies outside the objects

    def stop(self, part: str) -> None:
        kind, _, node = part.partition("/")
        if kind == "kubelet":
            self.kubelets.stop_node(node)
        elif kind == "kube-proxy":
            self.proxies.hang(node)
        else:
            self.controllers[part].stop()

    def change_file(self, node: str, file: str, change: Callable[[str], str]) -> None:
        self.proxies.change(node, file, change)

    def configure(self, part: str, settings: Json) -> None:
        kind, _, node = part.partition("/")
        if kind == "kubelet":
            self.insides.settings.setdefault(node, {}).update(settings)
        elif kind == "kube-proxy":
            self.proxies.configure(node, settings, {})
        else:
            self.proxies.configure(node, {}, settings)

    def behave(self, at: str, behaviour: Json) -> None:
        self.names.behave(at, behaviour)

    def say(self, said: Log) -> None:
        if said.mode in ("", self.shape.proxy_mode):
            self.insides.say(self.clock.now, said)

    def _resolv_conf(self, pod: Json) -> str:
        settings = self.insides.configz(pod["spec"]["nodeName"])["kubeletconfig"]
        return resolv_conf(
            pod,
            cluster_dns=settings.get("clusterDNS") or (),
            cluster_domain=settings.get("clusterDomain", ""),
            node_resolv_conf=base.NODE_RESOLV_CONF,
        )

    def _controls(self) -> dict[str, Callable[..., Json]]:
        """What can be told the lab from outside, under /lab/."""
        return {"break": self.break_, "heal": self.heal, "fault": lambda: {"fault": self.fault.name}}


def _well(now: datetime) -> Cluster:
    """A small cluster that is well."""
    made = Cluster(Shape(), now, "")
    made.boot()
    return made


def _controllers(store: Store) -> Iterator[Controller]:
    yield from workload_controllers(store)
    for make in (EndpointSliceController, EndpointsController, MirroringController, NodePortRepair):
        yield make(store)
