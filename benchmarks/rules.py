"""Dumps of large nodes read and walked, beside iptables-restore on the same text.

``python -m benchmarks.rules`` prints, in CPU seconds: 100,000 rules read, the same with every rule parsed, and
``iptables-restore --test`` (in a network namespace of its own; ``-`` where that cannot run); then for 10,000 Services
the number of rules, the peak in MB of resident memory with every rule parsed, and the CPU seconds of a first walk.
"""

import base64
import hashlib
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from svcdoctor.network import iptables
from svcdoctor.network.packet import Host, Origin, Packet
from svcdoctor.network.walk import walk

ENDPOINTS = 10
RULES_OF_SERVICE = 3 + 3 * ENDPOINTS
READ, LARGE = 100_000, 10_000
RESTORE = ["unshare", "--map-root-user", "--net", "iptables-restore", "--test"]
HEAD = """*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
"""


def dump(services: int) -> str:
    """What iptables-save prints on a node with so many Services of ten endpoints."""
    found = [list(rules(number)) for number in range(services)]
    own = [rule for one in found for rule in one[2:]]
    chains = dict.fromkeys(rule.split(" ", 2)[1] for rule in own)
    return "".join(
        (
            HEAD,
            *(f":{chain} - [0:0]\n" for chain in chains),
            "-A PREROUTING -j KUBE-SERVICES\n-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n",
            *(f"{one[0]}\n" for one in found),
            "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n",
            *(f"{one[1]}\n" for one in found),
            *(f"{rule}\n" for rule in own),
            "COMMIT\n",
        )
    )


def rules(number: int) -> Iterator[str]:
    """The rules of one Service, as kube-proxy writes and iptables-save prints them."""
    spn, ip, port = f"namespace-{number % 100}/service-{number}:http", address("10.96", number), 30000 + number % 2768
    own = _hash(f"{spn}tcp")
    match = f'-d {ip}/32 -p tcp -m comment --comment "{spn} cluster IP" -m tcp --dport 80'
    yield f"-A KUBE-SERVICES {match} -j KUBE-SVC-{own}"
    yield f'-A KUBE-NODEPORTS -p tcp -m comment --comment "{spn}" -m tcp --dport {port} -j KUBE-SVC-{own}'
    yield f"-A KUBE-SVC-{own} ! -s 10.244.0.0/16 {match} -j KUBE-MARK-MASQ"
    for index in range(ENDPOINTS):
        endpoint = address("10.244", number * ENDPOINTS + index)
        chain = f"KUBE-SEP-{_hash(f'{spn}tcp{endpoint}:8080')}"
        left = ENDPOINTS - index
        chance = f" -m statistic --mode random --probability {1 / left:.11f}" if left > 1 else ""
        yield f'-A KUBE-SVC-{own} -m comment --comment "{spn} -> {endpoint}:8080"{chance} -j {chain}'
        yield f'-A {chain} -s {endpoint}/32 -m comment --comment "{spn}" -j KUBE-MARK-MASQ'
        yield f'-A {chain} -p tcp -m comment --comment "{spn}" -m tcp -j DNAT --to-destination {endpoint}:8080'


def address(network: str, number: int) -> str:
    return f"{network}.{number // 250 % 250}.{number % 250 + 1}"


def _hash(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:16].decode()


def read(path: Path) -> tuple[float, float, float]:
    """CPU seconds to read a dump, to parse all its rules, and to walk to the last Service for the first time."""
    text = path.read_text()
    times = [time.process_time()]
    found = iptables.read(text)
    times.append(time.process_time())
    number = sum(len(chain.rules) for table in found.tables for chain in table.chains.values())
    times.append(time.process_time())
    ends = walk(found, Packet("10.244.9.9", address("10.96", 1), 80, origin=Origin.POD), Host(addresses=frozenset()))
    times.append(time.process_time())
    assert number == found.rule_count > 0
    assert len(ends.backends) == ENDPOINTS
    return times[1] - times[0], times[2] - times[1], times[3] - times[2]


def restored(path: Path) -> float | None:
    """CPU seconds of iptables-restore, None where it cannot run."""
    if not shutil.which("iptables-restore") or not shutil.which("unshare"):
        return None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with path.open() as text:
        if subprocess.run(RESTORE, stdin=text, capture_output=True, check=False).returncode:
            return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "iptables-save.txt"
        path.write_text(dump(READ // RULES_OF_SERVICE))
        reading, parsing, _ = map(float, _apart("read", path))
        restoring = restored(path)
        print(f"{reading:.2f} {reading + parsing:.2f} {'-' if restoring is None else f'{restoring:.2f}'}")
        large = dump(LARGE)
        path.write_text(large)
        _, _, walking = map(float, _apart("read", path))
        (peak,) = map(float, _apart("peak", path))
        print(f"{large.count('-A ')} {peak:.0f} {walking:.2f}")


def _apart(what: str, path: Path) -> list[str]:
    """What a process of its own says."""
    command = [sys.executable, "-m", "benchmarks.rules", what, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        print(*read(Path(sys.argv[2])))
    elif sys.argv[1:2] == ["peak"]:
        read(Path(sys.argv[2]))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    else:
        main()
