"""The lab's controllers: each writes what its namesake of Kubernetes 1.36 would have written."""
