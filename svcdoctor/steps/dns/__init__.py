"""4xx: Does the name lead to the Service?

First what must be true, computed: `expected` (the answers that the specification demands), `resolv_conf` and `kubelet`
(what a pod's resolver is told), `search` (which names it asks), `corefile` and `owner` (who answers them).
"""
