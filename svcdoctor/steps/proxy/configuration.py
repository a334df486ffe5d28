"""What kube-proxy was told: by itself, else by the ConfigMap that it reads."""

from typing import Any

from ...model.decode import decode_yaml
from ...model.node_rules import NodeRules, ProxyConfiguration, configuration
from ...model.snapshot import Snapshot

NAMESPACE = "kube-system"
CONFIG_MAPS = ("kube-proxy", "kube-proxy-config")
"""Of kubeadm, and of EKS."""
KIND = "KubeProxyConfiguration"


def configured(snapshot: Snapshot, rules: NodeRules) -> ProxyConfiguration | None:
    """None where neither was read."""
    return rules.configuration or usual(snapshot)


def usual(snapshot: Snapshot) -> ProxyConfiguration | None:
    """What the ConfigMap says."""
    for name in CONFIG_MAPS:
        found = snapshot.configmaps.get(NAMESPACE, name)
        for text in found.data.values() if found else ():
            document = decode_yaml(text, dict[str, Any])
            if document and document.get("kind") == KIND:
                try:
                    return configuration(document)
                except (ValueError, TypeError, AttributeError):
                    continue
    return None
