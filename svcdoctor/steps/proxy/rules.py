"""How the rules of nodes fail a Service."""

from ...model.diagnosis import Rule, Severity

STEP_NAME = "proxy"


def _rule(code: str, name: str, severity: Severity, meaning: str, why: str, fix: str) -> Rule:
    return Rule(code, name, severity, STEP_NAME, meaning, why, fix)


PROXY_DOWN = _rule(
    "SVC601",
    "proxy-down",
    Severity.ERROR,
    "No kube-proxy runs on a node: its rules stay as they were, and a node that was started since has none.",
    "The DaemonSet's affinity or tolerations leave the node out, or the container does not start.",
    "Let kube-proxy run on the node again.",
)
PROXY_STALE = _rule(
    "SVC602",
    "proxy-stale",
    Severity.ERROR,
    "The rules of a node lead to other endpoints than the Service has.",
    "Its kube-proxy hangs, or no longer hears of changes: rules stay when it stands still.",
    "Restart the node's kube-proxy, and see why it stopped: its log, its connection to the API server.",
)
PROXY_SYNC_ERROR = _rule(
    "SVC603",
    "proxy-sync-error",
    Severity.ERROR,
    "A node's kube-proxy runs, but the kernel does not take its rules: all changes since are missing.",
    "Rules are written as one: a line that the kernel or its tool refuses keeps all others out. /healthz may say 200 "
    "meanwhile.",
    "Read the line that is refused in kube-proxy's log; mend the module, the tool or the table that it names.",
)
DUAL_IPTABLES = _rule(
    "SVC604",
    "dual-iptables",
    Severity.ERROR,
    "A node has kube-proxy's rules twice, in the tables of iptables-legacy and of iptables-nft; packets meet both.",
    "The back end was changed, by another version of an image or of the node, and nobody took the old rules out.",
    "Flush the tables that kube-proxy no longer writes, or restart the node.",
)
MODE_LEFTOVERS = _rule(
    "SVC605",
    "mode-leftovers",
    Severity.ERROR,
    "A node still has the rules of another mode of kube-proxy beside those of the present one.",
    "kube-proxy does not clean up after every mode when it starts in another one.",
    "Stop kube-proxy there, run kube-proxy --cleanup, start it again; or restart the node.",
)
REJECT_NO_ENDPOINTS = _rule(
    "SVC606",
    "reject-no-endpoints",
    Severity.ADVICE,
    "Nodes refuse connections to the Service at once: by rule, for it has no endpoint.",
    "Rules do what they must; why there are no endpoints is the question of the earlier steps.",
    "See the finding about endpoints; nothing is to be done about the rules.",
)
ITP_LOCAL_HOLE = _rule(
    "SVC607",
    "itp-local-hole",
    Severity.ERROR,
    "internalTrafficPolicy is Local, and nodes have none of the endpoints: packets from there are dropped in silence.",
    "Local means this node or none; the pods do not run on every node that has clients.",
    "Set internalTrafficPolicy to Cluster, or run a pod on every node with a DaemonSet.",
)
ETP_LOCAL_HOLE = _rule(
    "SVC608",
    "etp-local-hole",
    Severity.WARNING,
    "externalTrafficPolicy is Local, and nodes have none of the endpoints: what comes in there is dropped.",
    "Local keeps the client's address, and leaves it to the balancer to send to nodes with endpoints only.",
    "Let the balancer ask healthCheckNodePort, spread the pods over nodes, or set externalTrafficPolicy to Cluster.",
)
UDP_CONNTRACK_STALE = _rule(
    "SVC609",
    "udp-conntrack-stale",
    Severity.ERROR,
    "The kernel of a node still sends UDP clients to an endpoint that is gone: rules are asked for new flows only.",
    "A client that goes on sending from one port keeps its entry alive; kube-proxy failed to delete it.",
    "Delete the entries; newer versions of kube-proxy do so by themselves.",
)
IPVS_REUSE = _rule(
    "SVC610",
    "ipvs-reuse",
    Severity.WARNING,
    "An old kernel gives new connections that reuse a client's port to a pod that IPVS is draining.",
    "With conn_reuse_mode 0, which kernels before 5.9 need, an entry of an old connection decides for the new one.",
    "Use a kernel of 5.9 or later, or another mode of kube-proxy.",
)
IPVS_DEAD_FLOW = _rule(
    "SVC611",
    "ipvs-dead-flow",
    Severity.WARNING,
    "Connections to pods that are gone are not ended on a node: clients wait until they give up.",
    "net.ipv4.vs.expire_nodest_conn is 0; kube-proxy sets it to 1, and something set it back.",
    "Set it to 1, and see what sets it to 0.",
)
WRONG_CLUSTER_CIDR = _rule(
    "SVC612",
    "wrong-cluster-cidr",
    Severity.WARNING,
    "kube-proxy takes the pods of a node for strangers: their addresses are not within its clusterCIDR.",
    "clusterCIDR and the network plugin's range differ; only the first CIDR of a family counts.",
    "Set clusterCIDR in kube-proxy's configuration to the range of the pods, and restart it.",
)
RULE_MISSING = _rule(
    "SVC613",
    "rule-missing",
    Severity.ERROR,
    "A node has no rule for an address of the Service, though its kube-proxy runs and knows of it.",
    "Somebody deleted it; kube-proxy writes what did not change once an hour only.",
    "Restart the node's kube-proxy, which writes all rules anew, and find out who deleted it.",
)
FORWARD_DROP = _rule(
    "SVC614",
    "forward-drop",
    Severity.ERROR,
    "The FORWARD chain of a node drops what nobody accepts: packets of pods reach no endpoint.",
    "Docker, a firewall or a hardening script sets the policy to DROP, and nothing accepts the pods' networks.",
    "Accept the pods' networks in FORWARD, or set its policy to ACCEPT.",
)
FOREIGN_DROP = _rule(
    "SVC615",
    "foreign-drop",
    Severity.ERROR,
    "A rule on a node that is not kube-proxy's drops or refuses packets to the Service.",
    "A firewall, a security team's script or a network plugin's policy comes before or after kube-proxy's rules.",
    "Take the rule out, or let it spare the Service's traffic.",
)
IP_FORWARD_OFF = _rule(
    "SVC616",
    "ip-forward-off",
    Severity.ERROR,
    "The kernel of a node forwards nothing: packets of its pods reach no endpoint.",
    "net.ipv4.ip_forward (net.ipv6.conf.all.forwarding) is 0: by a hardening script, or lost at a reload.",
    "Set it to 1, and keep it in /etc/sysctl.d.",
)
CONNTRACK_FULL = _rule(
    "SVC617",
    "conntrack-full",
    Severity.ERROR,
    "The table of connections of a node is full: packets of new connections are dropped at random.",
    "More connections than net.netfilter.nf_conntrack_max allows, or connections that are never closed.",
    "Raise net.netfilter.nf_conntrack_max (kube-proxy: conntrack.maxPerCore), and see who opens so many.",
)
BR_NETFILTER_OFF = _rule(
    "SVC618",
    "br-netfilter-off",
    Severity.ERROR,
    "Packets between pods of one node pass its rules by: the answer of an endpoint beside the client comes from that "
    "endpoint's own address, and the client drops it.",
    "net.bridge.bridge-nf-call-iptables is 0, while the network plugin connects pods by a bridge.",
    "Load br_netfilter and set net.bridge.bridge-nf-call-iptables to 1, for good in /etc/sysctl.d.",
)

RULES = (
    PROXY_DOWN,
    PROXY_STALE,
    PROXY_SYNC_ERROR,
    DUAL_IPTABLES,
    MODE_LEFTOVERS,
    REJECT_NO_ENDPOINTS,
    ITP_LOCAL_HOLE,
    ETP_LOCAL_HOLE,
    UDP_CONNTRACK_STALE,
    IPVS_REUSE,
    IPVS_DEAD_FLOW,
    WRONG_CLUSTER_CIDR,
    RULE_MISSING,
    FORWARD_DROP,
    FOREIGN_DROP,
    IP_FORWARD_OFF,
    CONNTRACK_FULL,
    BR_NETFILTER_OFF,
)
