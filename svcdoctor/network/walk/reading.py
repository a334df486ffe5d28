"""A dump of a node's rules, told by its looks."""

from ...errors import BadData
from .. import iptables, ipvs, nftables
from ..ruleset import Ruleset

ADVICE = "read are: iptables-save, ip6tables-save, nft -j list ruleset, ipset save, /proc/net/ip_vs, ipvsadm -Sn"
IPVS = ("IP Virtual Server", "-A -t ", "-A -u ", "-A -f ", "-A --sctp-service ")


def read_dump(data: bytes, source: str) -> Ruleset:
    """The rules or sets in ``data``. Raises BadData, naming ``source``, for what is no such dump or an empty file."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadData(source, "not text", ADVICE) from None
    start = text.lstrip()
    if start.startswith("{"):
        return nftables.read(text, source)
    if start.startswith(("#", "*")):
        return iptables.read(text, source)
    if start.startswith(IPVS):
        return ipvs.read(text, source)
    if start.startswith("create "):
        return ipvs.read_sets(text, source)
    raise BadData(source, "no dump of rules" if start else "empty", ADVICE)
