"""NetworkPolicy and its cluster-wide kin: whether a packet may pass, and by which rule.

``evaluate(compile_policies(policies, namespaces, pods), Question(source, destination, port))`` is the way in. It says
what the specifications say: networking.k8s.io/v1 NetworkPolicy, and policy.networking.k8s.io ClusterNetworkPolicy
v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1. Whether the cluster's network enforces them, and
what other kinds of policies add, is not its matter.
"""

from .changes import Change
from .cluster import Cluster, Host
from .compiled import Compiled, compile_policies, with_policies, with_policy
from .defaults import defaulted
from .evaluate import evaluate
from .mend import mend
from .problems import Problem
from .question import AnyPod, AtAddress, AtNode, AtPod, End, Question, ThroughService
from .validation import problems
from .verdict import (
    Basis,
    Caveat,
    Direction,
    Lack,
    Miss,
    Near,
    PolicyRef,
    RuleRef,
    Ruling,
    Status,
    Verdict,
)

__all__ = [
    "AnyPod",
    "AtAddress",
    "AtNode",
    "AtPod",
    "Basis",
    "Caveat",
    "Change",
    "Cluster",
    "Compiled",
    "Direction",
    "End",
    "Host",
    "Lack",
    "Miss",
    "Near",
    "PolicyRef",
    "Problem",
    "Question",
    "RuleRef",
    "Ruling",
    "Status",
    "ThroughService",
    "Verdict",
    "compile_policies",
    "defaulted",
    "evaluate",
    "mend",
    "problems",
    "with_policies",
    "with_policy",
]
