"""What was observed beside the API's objects: answers of name servers. Values only; who asked is in `collect`."""

from msgspec import field

from .meta import Base

NO_ERROR = "NOERROR"
TRUNCATED = "tc"


class DnsRecord(Base, frozen=True):
    """One record of an answer, as DNS clients print it."""

    name: str = ""
    ttl: int = 0  # seconds
    class_: str = field(default="IN", name="class")
    type: str = ""
    data: str = ""


class DnsAnswer(Base, frozen=True):
    """One question, and what came back. Without an ``rcode`` nothing did: ``error`` says how that went."""

    from_: str = field(default="", name="from")  # "shop/client" (a pod), "node/node1", "svcdoctor"
    server: str = ""  # the address that was asked; "" for the client's own resolver
    port: int = 53
    transport: str = "UDP"  # UDP, TCP, or LIBC: the client's own resolver, by its search list
    name: str = ""
    type: str = "A"
    rcode: str = ""  # NOERROR, NXDOMAIN ...
    flags: tuple[str, ...] = ()  # lower case: qr, aa, tc, rd, ra
    answers: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()
    ms: float = 0.0
    error: str = ""  # timeout, refused (nobody listens), unreachable, or in words
    path: str = ""  # how it was reached where not by the network: port-forward kube-system/coredns-1

    @property
    def answered(self) -> bool:
        """Whether a server said anything."""
        return not self.error and bool(self.rcode)

    @property
    def truncated(self) -> bool:
        return TRUNCATED in self.flags
