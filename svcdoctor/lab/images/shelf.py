"""The images that the lab's registry has."""

from . import agnhost, server, system, toolbox
from .reference import DEFAULT_REGISTRY
from .registry import Image, Images


def lab_images() -> Images:
    """A fresh registry: what is added to it stays with one lab."""
    return Images(
        (
            Image(
                f"{DEFAULT_REGISTRY}/server",
                ("1", "2", "latest"),
                server.serve,
                entrypoint=("/server",),
                preloaded=True,
            ),
            Image(f"{DEFAULT_REGISTRY}/agnhost", ("2", "2.53"), agnhost.agnhost, ("/agnhost",), ("pause",), 92_181_218),
            Image(f"{DEFAULT_REGISTRY}/toolbox", ("1", "latest"), toolbox.tool, default_args=("sh",), size=73_892_570),
            Image(
                f"{DEFAULT_REGISTRY}/client",
                ("1", "latest"),
                toolbox.client,
                default_args=("sleep", "infinity"),
                size=73_892_570,
                preloaded=True,
            ),
            Image(
                f"{DEFAULT_REGISTRY}/pause",
                ("1", "3.10.1"),
                toolbox.pause,
                ("/pause",),
                size=2_417_393,
                preloaded=True,
                has_shell=False,
            ),
            Image(
                f"{DEFAULT_REGISTRY}/coredns",
                ("1.14.2",),
                system.coredns,
                ("/coredns",),
                size=112_036_579,
                preloaded=True,
                has_shell=False,
            ),
            Image(
                f"{DEFAULT_REGISTRY}/kube-proxy",
                ("v1.36.2",),
                system.kube_proxy,
                ("/usr/local/bin/kube-proxy",),
                size=110_551_796,
                preloaded=True,
            ),
        )
    )
