"""A Kubernetes cluster in one process, to break on purpose. It knows nothing of the doctor."""
