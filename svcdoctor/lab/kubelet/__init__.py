"""The lab's kubelets: they run the pods of each node, as Kubernetes 1.36 would, and say so in the API."""

from .kubelets import Kubelets

__all__ = ["Kubelets"]
