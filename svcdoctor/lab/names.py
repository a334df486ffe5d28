"""Names that a lab goes by outside of itself."""

FOLDER = "svcdoctor-lab-"
"""How the temporary folder of a running lab begins."""

CONTEXT = "lab"
"""Context, cluster and user of its kubeconfig."""
