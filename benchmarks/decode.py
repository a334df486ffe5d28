"""One way of decoding the pages of a folder, in a process of its own: prints its CPU seconds and its peak RSS in MB.

``python -m benchmarks.decode ours|json FOLDER``. Both read a page at a time, as it comes from the
network, and keep all pods.
"""

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def ours(folder: Path) -> int:
    from datetime import UTC, datetime

    from svcdoctor.model.snapshot import Answer, Snapshot, assemble

    path = "api/v1/namespaces/shop/pods"
    answers = (Answer(path, body) for body in pages(folder))
    return len(assemble(Snapshot(taken_at=datetime(2026, 11, 23, tzinfo=UTC)), answers).pods.items)


def json(folder: Path) -> int:
    from json import loads

    return len([pod for body in pages(folder) for pod in loads(body)["items"]])


def pages(folder: Path) -> Iterator[bytes]:
    return (page.read_bytes() for page in sorted(folder.glob("*.json")))


def main(way: str, folder: str) -> None:
    start = time.process_time()
    count = {"ours": ours, "json": json}[way](Path(folder))
    seconds = time.process_time() - start
    unit = 2**20 if sys.platform == "darwin" else 2**10  # getrusage(2): bytes there, KiB on Linux
    print(count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


if __name__ == "__main__":
    main(*sys.argv[1:])
