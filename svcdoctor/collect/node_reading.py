"""A node's rules and kernel, by exec into its own kube-proxy pod: programs of its image, and files of /proc.

No shell is counted on. What comes are the files of ``nodes/<node>/`` in a snapshot, and what could not be read of them.
"""

import json
import re

from ..model.pod import Pod
from . import proc_net
from .api import Api
from .node_look import Look, Read, last_line, until_refused

NAME = "kube-proxy"
SAVES = {"iptables-save.txt": "iptables-save", "ip6tables-save.txt": "ip6tables-save"}
SYSCTLS = (
    "net.bridge.bridge-nf-call-ip6tables",
    "net.bridge.bridge-nf-call-iptables",
    "net.ipv4.conf.all.arp_announce",
    "net.ipv4.conf.all.arp_ignore",
    "net.ipv4.conf.all.route_localnet",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.vs.conn_reuse_mode",
    "net.ipv4.vs.conntrack",
    "net.ipv4.vs.expire_nodest_conn",
    "net.ipv4.vs.expire_quiescent_template",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.forwarding",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_tcp_be_liberal",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
)
FAMILY = re.compile(r"^ipv[46] +\d+ ", re.MULTILINE)
"""What /proc/net/nf_conntrack has before the lines of ``conntrack -L``."""


def commands(api: Api, node: str, pod: Pod, container: str, limit: float) -> Read:
    """Rules and kernel, by exec. Raises CouldNotLook only."""
    look = Look(api, node, pod, container, limit)
    return until_refused(look, "exec", _rules, _kernel, _ipvs, _connections)


# --------------------------------------------------------------------------------------------------------------- rules


def _rules(look: Look) -> None:
    saved = ""
    for file, program in SAVES.items():
        ran = look.run(file, program)
        if ran is None or ran.code or ran.cut:
            continue
        look.keep(file, ran.stdout if ran.stdout.strip() else f"# {program} printed nothing\n")
        saved += ran.stdout
        if "legacy tables present" in ran.stderr:
            legacy = program.replace("-save", "-legacy-save")
            look.text(f"{legacy}.txt", legacy)
    own = ":KUBE-SERVICES " in saved or ":KUBE-IPVS-FILTER " in saved
    if not own or "nf_tables" in saved or "-nft-" in saved:  # else nft itself would load the kernel's module
        for family in ("ip", "ip6"):
            look.text(f"nft-{family}-kube-proxy.json", "nft", "-j", "list", "table", family, NAME, optional=own)


def _kernel(look: Look) -> None:
    """Settings that a kernel does not have are left out."""
    paths = {f"/proc/sys/{name.replace('.', '/')}": name for name in SYSCTLS}
    ran = look.run("sysctl.json", "cat", *paths, optional=True)
    if ran is not None:
        failed = {path for path in paths if re.search(re.escape(path) + r"(?![\w/])", ran.stderr)}
        names = [name for path, name in paths.items() if path not in failed]
        values = ran.stdout.splitlines()
        if values and len(values) == len(names):
            look.keep("sysctl.json", json.dumps(dict(zip(names, map(str.strip, values), strict=True)), indent=1))
        else:
            look.gap("sysctl.json", last_line(ran.stderr) or "cat printed something else")
    ran = look.run("addresses.json", "cat", *proc_net.FILES, optional=True)
    if ran is not None and not ran.cut:
        for file, text in proc_net.read(ran.stdout).items():
            look.keep(file, text)


def _ipvs(look: Look) -> None:
    """ipset would load its module into a kernel that does not have it."""
    optional = b":KUBE-IPVS-FILTER " not in look.files.get("iptables-save.txt", b"")
    table = look.text("ip_vs.txt", "cat", "/proc/net/ip_vs", optional=optional)
    if not optional or "  -> " in table:
        look.text("ipset.txt", "ipset", "save", optional=optional)


def _connections(look: Look) -> None:
    """Last, for it may be long. Many kernels do not have the file; its beginning is worth having too."""
    ran = look.run("conntrack.txt", "cat", "/proc/net/nf_conntrack", optional=True)
    if ran is not None and not ran.code:
        whole = ran.stdout[: ran.stdout.rfind("\n") + 1] if ran.cut else ran.stdout
        look.keep("conntrack.txt", FAMILY.sub("", whole))
