"""A replayed API server with its certificate, and a kubeconfig that leads to it."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from svcdoctor.collect.api import Api
from tests.replay import Replay, serving

CASES = Path(__file__).parents[1] / "cases"


class Cluster:
    """A kubeconfig around a Replay."""

    def __init__(self, folder: Path, replay: Replay, authority: bytes) -> None:
        self.replay = replay
        self.path = folder / "kubeconfig"
        self.config: dict[str, Any] = {
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "me", "namespace": "shop"}}],
            "clusters": [{"name": "lab", "cluster": {"server": replay.url}}],
            "users": [{"name": "me", "user": {"token": "hush-hush"}}],
        }
        ca = folder / "ca.pem"
        ca.write_bytes(authority)
        self.cluster["certificate-authority"] = str(ca)
        self.opened: list[Api] = []
        self.write()

    @property
    def cluster(self) -> dict[str, Any]:
        found: dict[str, Any] = self.config["clusters"][0]["cluster"]
        return found

    @property
    def user(self) -> dict[str, Any]:
        found: dict[str, Any] = self.config["users"][0]["user"]
        return found

    def close(self) -> None:
        for api in self.opened:
            api.close()

    def write(self) -> None:
        self.path.write_text(yaml.safe_dump(self.config))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "inner.example").configure_cert(context)
    return context


@pytest.fixture
def serve(tmp_path: Path, authority: trustme.CA, tls: ssl.SSLContext) -> Iterator[Callable[..., Cluster]]:
    """Starts a replay of a case (or of nothing) that wants the kubeconfig's token."""
    with ExitStack() as stack:

        def start(case: str | None = None, context: ssl.SSLContext | None = tls) -> Cluster:
            replay = Replay(CASES / case if case else None)
            replay.token = "hush-hush" if context else None
            stack.enter_context(serving(replay, context))
            cluster = Cluster(tmp_path, replay, authority.cert_pem.bytes())
            stack.callback(cluster.close)
            return cluster

        yield start
