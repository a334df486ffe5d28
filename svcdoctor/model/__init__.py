"""Facts: what is true of a cluster, frozen, and no I/O."""
