"""A large lab from nothing to serving, in a process of its own: prints its wall seconds and its peak RSS in MB.

``python -m benchmarks.lab SERVICES PODS``. The clock starts before the lab's code is loaded.
"""

import resource
import sys
import time


def main(services: str, pods: str) -> None:
    start = time.perf_counter()
    from svcdoctor.lab import serve
    from svcdoctor.lab.base import Shape
    from svcdoctor.lab.faults import HEALTHY

    with serve.start(Shape(services=int(services), pods=int(pods)), HEALTHY):
        seconds = time.perf_counter() - start
    unit = 2**20 if sys.platform == "darwin" else 2**10  # getrusage(2): bytes there, KiB on Linux
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


if __name__ == "__main__":
    main(*sys.argv[1:])
