"""Credentials from a program that the kubeconfig names (client.authentication.k8s.io, KEP-541).

A plugin that fails is an error: the request must never go out anonymous instead.
"""

import base64
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from .. import redact
from ..errors import CouldNotLook
from .kubeconfig_file import Cluster, Exec

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
PATIENCE = 60.0
"""Seconds for a plugin that can't ask anybody; one that may ask a person waits for the person."""
BY_HAND = "run it by hand to see"
LAST_WORDS = 4


class ExecStatus(Struct, frozen=True, rename="camel"):
    """client.authentication.k8s.io ExecCredentialStatus."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""

    def __repr__(self) -> str:  # never its content
        return "ExecStatus(...)"


class ExecCredential(Struct, frozen=True, rename="camel"):
    """client.authentication.k8s.io ExecCredential: what a plugin prints."""

    api_version: str = ""
    kind: str = ""
    status: ExecStatus | None = None


def run(plugin: Exec, folder: str, cluster: Cluster) -> ExecStatus:
    """What the program ``plugin`` says; a relative path starts at ``folder``.

    Raises CouldNotLook, with the program's own words.
    """
    name = plugin.command
    if plugin.api_version not in API_VERSIONS:
        spoken = plugin.api_version or "no apiVersion"
        raise CouldNotLook(f"exec plugin {name} speaks {spoken}", f"it must be {API_VERSIONS[0]}")
    command = str(Path(folder) / name) if "/" in name else name
    said = _output([command, *(plugin.args or ())], plugin, cluster, _interactive(plugin))
    try:
        credential = msgspec.json.decode(said, type=ExecCredential)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CouldNotLook(f"exec plugin {name} printed no ExecCredential", BY_HAND) from None
    status = credential.status
    if credential.kind != "ExecCredential" or credential.api_version != plugin.api_version or status is None:
        raise CouldNotLook(f"exec plugin {name} printed no ExecCredential of {plugin.api_version}", BY_HAND)
    if not status.token and not (status.client_certificate_data and status.client_key_data):
        raise CouldNotLook(f"exec plugin {name} gave neither a token nor a certificate", BY_HAND)
    return status


def _interactive(plugin: Exec) -> bool:
    available = sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not available:
        raise CouldNotLook(f"exec plugin {plugin.command} needs a terminal to ask you", "run it in one")
    return available and plugin.interactive_mode != "Never"


def _output(words: list[str], plugin: Exec, cluster: Cluster, interactive: bool) -> bytes:
    try:
        process = subprocess.Popen(
            words,
            env=_environment(plugin, cluster, interactive),
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,
            start_new_session=not interactive,  # so that its children can be ended with it
        )
    except (OSError, ValueError) as error:
        hint = plugin.install_hint.strip() or "install it, or put it on PATH"
        raise CouldNotLook(f"exec plugin {words[0]} cannot be run: {error}", hint) from None
    try:
        said, complaint = process.communicate(timeout=None if interactive else PATIENCE)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise CouldNotLook(f"exec plugin {words[0]} gave no answer within {PATIENCE:.0f} s", BY_HAND) from None
    if process.returncode != 0:
        lines = redact.text((complaint or b"").decode(errors="replace")).strip().splitlines()
        advice = " | ".join(line.strip() for line in lines[-LAST_WORDS:]) or f"{BY_HAND} why"
        raise CouldNotLook(f"exec plugin {words[0]} failed with exit code {process.returncode}", advice)
    return said


def _environment(plugin: Exec, cluster: Cluster, interactive: bool) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster_info(cluster)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    own = {variable.name: variable.value for variable in plugin.env or ()}
    return {**os.environ, **own, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}


def _cluster_info(cluster: Cluster) -> dict[str, Any]:
    """client.authentication.k8s.io Cluster."""
    authority = cluster.authority
    known = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(authority).decode() if authority else "",
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression,
    }
    for extension in cluster.extensions or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            known["config"] = extension.get("extension")
    return {key: value for key, value in known.items() if value}
