"""What policies do to traffic: every way in which they keep a packet that was meant to pass, or don't keep one."""

from ...model.diagnosis import Rule, Severity

STEP_NAME = "policy"

NP_DEFAULT_DENY = Rule(
    "SVC501",
    "np-default-deny",
    Severity.ERROR,
    STEP_NAME,
    "A NetworkPolicy selects the pod, and no rule of any policy lets this traffic through.",
    "A pod that one policy selects may do in that direction only what some rule allows: without one, nothing.",
    "Add a policy with a rule for this traffic. Policies add up: the one that denies need not change.",
)
NP_PEER_LABELS = Rule(
    "SVC502",
    "np-peer-labels",
    Severity.ERROR,
    STEP_NAME,
    "A NetworkPolicy lets the port through, but for other peers: this one has other labels, or is elsewhere.",
    "The rule's selector and the peer's labels differ, or a podSelector alone is meant for pods of another namespace.",
    "Add the peer to the rule, or correct its selector.",
)
NP_NS_UNLABELLED = Rule(
    "SVC503",
    "np-ns-unlabelled",
    Severity.ERROR,
    STEP_NAME,
    "A namespaceSelector asks for a label that the namespace it means does not carry.",
    "Namespaces have no label `name` by themselves; selectors go by labels, not by names.",
    "Select by kubernetes.io/metadata.name, which the API server sets on every namespace, or label the namespace.",
)
NP_AND_OR = Rule(
    "SVC504",
    "np-and-or",
    Severity.ERROR,
    STEP_NAME,
    "A namespaceSelector and a podSelector stand in one item of the list, so both must hold; they were meant as two.",
    "One dash makes the difference: selectors of one item are joined by AND, items by OR.",
    "Write the two selectors as two items.",
)
NP_SERVICE_PORT = Rule(
    "SVC505",
    "np-service-port",
    Severity.ERROR,
    STEP_NAME,
    "A NetworkPolicy lets a port through that is not the one on which the pods listen, mostly the Service's own.",
    "Policies see packets after the Service's address and port were translated.",
    "Use the port of the pods (targetPort) in the rule.",
)
NP_DNS_EGRESS = Rule(
    "SVC506",
    "np-dns-egress",
    Severity.ERROR,
    STEP_NAME,
    "The client's egress is isolated and no rule lets it ask the name servers: every name fails, by time-out.",
    "An egress policy for an application's own traffic shuts off DNS with all the rest.",
    "Allow UDP and TCP port 53 to the DNS pods.",
)
NP_DNS_REALPORT = Rule(
    "SVC507",
    "np-dns-realport",
    Severity.ERROR,
    STEP_NAME,
    "Port 53 is allowed, but the name servers that the client asks listen elsewhere.",
    "DNS pods may listen on another port than their Service (5353 on OpenShift), and NodeLocal DNSCache answers on an "
    "address of the node, which no podSelector matches.",
    "Allow the port of the DNS pods, or the address of the cache as an ipBlock.",
)
NP_CLUSTERIP_CIDR = Rule(
    "SVC508",
    "np-clusterip-cidr",
    Severity.ERROR,
    STEP_NAME,
    "An ipBlock holds the Service's address, which is no longer in the packet when policies are applied.",
    "The Service's address is translated to a pod's before the packet reaches the policy.",
    "Select the pods instead of the Service's address.",
)
NP_SNAT_SOURCE = Rule(
    "SVC509",
    "np-snat-source",
    Severity.WARNING,
    STEP_NAME,
    "An ipBlock lets clients from outside in by their own addresses, but the pods see the address of a node.",
    "With externalTrafficPolicy Cluster, traffic that enters on one node and leaves for another is masqueraded.",
    "Set externalTrafficPolicy to Local, which keeps the client's address.",
)
NP_NAMED_PORT = Rule(
    "SVC510",
    "np-named-port",
    Severity.ERROR,
    STEP_NAME,
    "A rule's port is a name that the destination pod does not declare for this port and protocol.",
    "Names are looked up among the containerPorts of the destination pod, whichever the direction.",
    "Declare the name on the pod's container, or use the number.",
)
NP_TIER_DENY = Rule(
    "SVC511",
    "np-tier-deny",
    Severity.ERROR,
    STEP_NAME,
    "A cluster-wide policy denies the traffic, whatever NetworkPolicies say.",
    "Rules of the Admin tier go before NetworkPolicies; those of the Baseline tier where none decides.",
    "Put a rule before it that passes or accepts this traffic; that takes a cluster administrator.",
)
NP_UNENFORCED = Rule(
    "SVC512",
    "np-unenforced",
    Severity.WARNING,
    STEP_NAME,
    "Policies are there, but the cluster's network is not known to enforce them, or is known not to.",
    "NetworkPolicy is only a wish until a network plugin carries it out; several plugins do not.",
    "Use a network plugin that enforces NetworkPolicy, or add one that does only that.",
)
NP_CNI_CRD = Rule(
    "SVC513",
    "np-cni-crd",
    Severity.WARNING,
    STEP_NAME,
    "Policies of the network plugin's own kinds apply to this traffic; they are not evaluated here.",
    "Calico, Cilium, Antrea and others have policies beside the Kubernetes ones, which can allow or deny on their own.",
    "Look at those objects, with the plugin's own tools.",
)
NP_UNDEFINED = Rule(
    "SVC514",
    "np-undefined",
    Severity.WARNING,
    STEP_NAME,
    "Whether the traffic passes depends on the network plugin: the specification leaves it open.",
    "Pods on the host's network, pods that reach themselves through a Service, and policies with parts that are not "
    "understood are treated differently by implementations.",
    "Try it from the client itself; to be independent of the plugin, add a rule that allows it in any reading.",
)

RULES = (
    NP_DEFAULT_DENY,
    NP_PEER_LABELS,
    NP_NS_UNLABELLED,
    NP_AND_OR,
    NP_SERVICE_PORT,
    NP_DNS_EGRESS,
    NP_DNS_REALPORT,
    NP_CLUSTERIP_CIDR,
    NP_SNAT_SOURCE,
    NP_NAMED_PORT,
    NP_TIER_DENY,
    NP_UNENFORCED,
    NP_CNI_CRD,
    NP_UNDEFINED,
)
