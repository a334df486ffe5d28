"""Credentials from a program that the kubeconfig names (client.authentication.k8s.io, KEP-541).

A plugin that fails is an error: the request must never go out anonymous instead.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from ..errors import CouldNotLook

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
PATIENCE = 60.0
"""Seconds for a plugin that can't ask anybody; one that may ask a person waits for the person."""


class ExecStatus(Struct, frozen=True, rename="camel"):
    """client.authentication.k8s.io ExecCredentialStatus."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""


class ExecCredential(Struct, frozen=True, rename="camel"):
    """client.authentication.k8s.io ExecCredential: what a plugin prints."""

    api_version: str = ""
    kind: str = ""
    status: ExecStatus | None = field(default=None)


def run(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> ExecStatus:
    """What the program ``plugin`` (a user's ``exec`` entry) says. Raises CouldNotLook, with the program's own words."""
    name = str(plugin.get("command") or "")
    version = str(plugin.get("apiVersion") or "")
    if version not in API_VERSIONS:
        raise CouldNotLook(f"exec plugin {name} speaks {version or 'no apiVersion'}", f"it must be {API_VERSIONS[0]}")
    command = name
    if "/" in name and plugin.get("folder"):
        command = str(Path(plugin["folder"]) / name)
    interactive = _interactive(str(plugin.get("interactiveMode") or "IfAvailable"), name)
    said = _output([command, *map(str, plugin.get("args") or ())], plugin, cluster, interactive)
    try:
        credential = msgspec.json.decode(said, type=ExecCredential)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CouldNotLook(f"exec plugin {name} printed no ExecCredential", "run it by hand to see") from None
    if credential.kind != "ExecCredential" or credential.api_version != version or credential.status is None:
        raise CouldNotLook(f"exec plugin {name} printed no ExecCredential of {version}", "run it by hand to see")
    status = credential.status
    if not status.token and not (status.client_certificate_data and status.client_key_data):
        raise CouldNotLook(f"exec plugin {name} gave neither a token nor a certificate", "run it by hand to see")
    return status


def _interactive(mode: str, name: str) -> bool:
    available = sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not available:
        raise CouldNotLook(f"exec plugin {name} needs a terminal to ask you", "run it in one")
    return available and mode != "Never"


def _output(words: list[str], plugin: Mapping[str, Any], cluster: Mapping[str, Any], interactive: bool) -> bytes:
    try:
        done = subprocess.run(
            words,
            env=_environment(plugin, cluster, interactive),
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,
            timeout=None if interactive else PATIENCE,
            check=False,
        )
    except (FileNotFoundError, PermissionError) as error:
        hint = str(plugin.get("installHint") or "").strip() or "install it, or put it on PATH"
        raise CouldNotLook(f"exec plugin {words[0]} cannot be run: {error.strerror}", hint) from None
    except subprocess.TimeoutExpired:
        raise CouldNotLook(f"exec plugin {words[0]} gave no answer within {PATIENCE:.0f} s", "run it by hand") from None
    except OSError as error:
        raise CouldNotLook(f"exec plugin {words[0]} cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        words_of_it = (done.stderr or b"").decode(errors="replace").strip().splitlines()
        advice = words_of_it[-1] if words_of_it else "run it by hand to see why"
        raise CouldNotLook(f"exec plugin {words[0]} failed with exit code {done.returncode}", advice)
    return done.stdout


def _environment(plugin: Mapping[str, Any], cluster: Mapping[str, Any], interactive: bool) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        known = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        spec["cluster"] = {key: cluster[key] for key in known if cluster.get(key)}
        for extension in cluster.get("extensions") or ():
            if extension.get("name") == "client.authentication.k8s.io/exec":
                spec["cluster"]["config"] = extension.get("extension")
    info = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": spec}
    own = {str(pair.get("name")): str(pair.get("value") or "") for pair in plugin.get("env") or ()}
    return {**os.environ, **own, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}
