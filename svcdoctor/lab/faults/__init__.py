"""Every fault that the lab has, by the step that finds it. FAULTS is the table of contents."""

from collections.abc import Mapping

from . import client, dns, endpoints, exposure, path, policy, proxy, readiness, service
from .fault import Fault

FAULTS: Mapping[str, tuple[Fault, ...]] = {
    "service": service.FAULTS,
    "endpoints": endpoints.FAULTS,
    "readiness": readiness.FAULTS,
    "dns": dns.FAULTS + dns.ACTIVE,
    "policy": policy.FAULTS,
    "proxy": proxy.FAULTS,
    "path": path.FAULTS,
    "exposure": exposure.FAULTS,
    "client": client.FAULTS,
}
"""Step -> its faults, in the order of the documented flow."""

HEALTHY = Fault("healthy", "nothing is wrong", ())

BY_NAME: Mapping[str, Fault] = {fault.name: fault for faults in FAULTS.values() for fault in faults} | {
    HEALTHY.name: HEALTHY
}
