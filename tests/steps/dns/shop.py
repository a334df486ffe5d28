"""A Service with a client beside it, in a cluster whose name servers are well until a test spoils them."""

from typing import Any

from msgspec import structs

from svcdoctor.diagnose import diagnose
from svcdoctor.model.case import Case
from svcdoctor.model.cluster import KubeletConfiguration
from svcdoctor.model.diagnosis import Diagnosis, Severity, Status, Subject, Target
from svcdoctor.model.observation import DnsAnswer, DnsRecord
from tests.build import CLUSTER_DNS, SYSTEM, Cluster, Json, container
from tests.steps.judging import explain, names

WEB = "web.shop.svc.cluster.local."
CLIENT = "shop/client"
FILE = f"""\
search shop.svc.cluster.local svc.cluster.local cluster.local
nameserver {CLUSTER_DNS}
options ndots:5
"""
"""The client's resolv.conf as it should be."""


class Shop(Cluster):
    """``web`` with two pods, ``client``, and what is observed of names."""

    def __init__(self, **service: Any) -> None:
        super().__init__()
        app = container("app", "http:8080")
        self.deployment("web", {"app": "web"}, app)
        self.web = self.service("web", {"app": "web"}, "http 8080>8080", **service)
        self.client = self.pod(
            "client", {"app": "client"}, spec={"containers": [container("client", image="client:1")]}
        )
        self.seen: list[DnsAnswer] = []
        self.resolv_conf = ""
        self.logs: dict[str, str] = {}  # of CoreDNS's pods, by container
        self.name_service()

    @property
    def servers(self) -> list[Json]:
        return [pod for pod in self.objects["pods"] if pod["metadata"]["name"].startswith("coredns")]

    @property
    def dns(self) -> Json:
        return next(service for service in self.objects["services"] if service["metadata"]["name"] == "kube-dns")

    def corefile(self, text: str) -> None:
        self.objects["configmaps"][0]["data"]["Corefile"] = text

    def tell(self, *nodes: str, dns: tuple[str, ...] = (CLUSTER_DNS,), domain: str = "cluster.local") -> None:
        """What the kubelets of ``nodes``, or of all, tell pods."""
        self.kubelets |= dict.fromkeys(nodes or tuple(self.kubelets), KubeletConfiguration(dns, domain))

    def log(self, *lines: str) -> None:
        """What the first name server's pod says."""
        self.logs["coredns"] = "\n".join(lines)

    def judge(self, client: str | None = "client", name: str = "web") -> Diagnosis:
        """Seen from the client, or from nobody in particular."""
        snapshot = self.snapshot()
        first = self.servers[0]["metadata"]["name"] if self.servers else ""
        snapshot = structs.replace(
            snapshot,
            dns_answers=tuple(self.seen),
            resolv_confs={("shop", "client"): self.resolv_conf} if self.resolv_conf else {},
            logs={(SYSTEM, first, container): text for container, text in self.logs.items()},
        )
        who = Subject("Pod", "shop", client) if client else None
        return diagnose(Case(snapshot, Target("shop", name, client=who)))

    # ---------------------------------------------------------------------------------------------------- observations

    def saw(self, *data: str, name: str = WEB, type: str = "A", rcode: str = "NOERROR", **more: Any) -> None:
        """The client asked the name servers' address, and got these records."""
        made = {"from_": CLIENT, "server": CLUSTER_DNS, "transport": "UDP", "ms": 1.0, **more}
        kind = "CNAME" if type in ("A", "AAAA") and data and data[0].endswith(".") else type
        records = tuple(DnsRecord(name, 30, "IN", kind if number == 0 else type, d) for number, d in enumerate(data))
        if made.get("error"):
            rcode = ""
        self.seen.append(DnsAnswer(name=name, type=type, rcode=rcode, answers=records, **made))

    def said(self, *data: str, **more: Any) -> None:
        """The same, of each name server's pod through a port-forward."""
        for pod in self.servers:
            place = {"from_": "svcdoctor", "server": pod["status"]["podIP"], "transport": "TCP"}
            self.saw(*data, **{**place, "path": f"port-forward {SYSTEM}/{pod['metadata']['name']}", **more})

    def resolved(self, *data: str, ms: float = 2.0) -> None:
        """The client's own resolver."""
        error = {} if data else {"error": "not found"}
        self.saw(*data, name="web", server="", transport="LIBC", ms=ms, **error)


def reason(diagnosis: Diagnosis) -> str:
    return next(outcome.reason for outcome in diagnosis.outcomes if outcome.step == "dns")


def status(diagnosis: Diagnosis) -> Status:
    return next(outcome.status for outcome in diagnosis.outcomes if outcome.step == "dns")


def root(diagnosis: Diagnosis, name: str) -> None:
    """The cause, by a warning that takes nothing away."""
    assert diagnosis.root == name, explain(diagnosis)
    assert names(diagnosis, Severity.ERROR) == [], explain(diagnosis)
