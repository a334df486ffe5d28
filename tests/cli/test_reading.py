"""What commands ask of the live side, which stands in here by what it promises; tests/collect knows the real one."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from svcdoctor import archive, cli
from svcdoctor.collect.gather import Gathered

CASE = Path(__file__).parents[1] / "cases/iptables-healthy"


@pytest.fixture
def cluster(monkeypatch):
    """A cluster that answers with a recorded one, and remembers how it was asked."""
    seen = SimpleNamespace(options=None, target=None)

    def connect(options, on_call=None):
        seen.options = options
        if on_call:
            on_call(
                SimpleNamespace(method="GET", path="/api/v1/pods", query="limit=500", status=200, ms=12.4, size=4567)
            )
        return SimpleNamespace(
            namespace="shop", context="prod", server="https://prod:6443", warnings=(), close=lambda: None
        )

    def gather(api, target, keep):
        seen.target = target
        return Gathered(archive.load(CASE), ())

    parts: dict[str, dict[str, object]] = {
        "api": {"connect": connect},
        "gather": {"gather": gather},
        "kubeconfig": {"Options": SimpleNamespace, "in_cluster": lambda environment: False},
    }
    for name, members in parts.items():
        module = ModuleType(f"svcdoctor.collect.{name}")
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return seen


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["svcdoctor", *arguments])
    return cli.main()


def test_options_reach_the_connection(cluster, monkeypatch, capsys):
    code = run(
        monkeypatch,
        *("diagnose", "web", "-q", "-v", "--context", "prod", "--cluster", "c", "--user", "u", "--kubeconfig", "k"),
        *("--as", "jane", "--as-group", "ops", "--as-group", "dev"),
    )
    assert code == 0
    assert vars(cluster.options) == {
        "kubeconfig": Path("k"),
        "context": "prod",
        "cluster": "c",
        "user": "u",
        "namespace": None,
        "as_user": "jane",
        "as_groups": ("ops", "dev"),
        "request_timeout": None,
    }
    out, err = capsys.readouterr()
    assert out.startswith("shop/web healthy: ")
    assert err == "GET /api/v1/pods?limit=500 200 12 ms 4567 bytes\n"


@pytest.mark.parametrize(("name", "namespace"), [("web", "shop"), ("web.lab", "lab")])
def test_the_connections_namespace_is_the_default(cluster, monkeypatch, name, namespace):
    run(monkeypatch, "diagnose", name, "-q")
    assert (cluster.target.namespace, cluster.target.name) == (namespace, "web")


def test_a_snapshot_is_saved_and_can_be_read(cluster, monkeypatch, capsys, tmp_path):
    path = tmp_path / "web.tar.gz"
    assert run(monkeypatch, "snapshot", "web", "-n", "shop", "--client", "lab/curl", "-o", str(path)) == 0
    assert (cluster.options.namespace, cluster.target.client.name) == ("shop", "curl")
    assert capsys.readouterr() == ("", f"saved {path}\n")
    assert archive.load(path).context == "real"
