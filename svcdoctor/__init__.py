"""svcdoctor finds out why a Kubernetes Service does not answer: one cause, its evidence, its fix."""

__version__ = "0.1.0"
