"""Labs that run in other processes: where they are, and how to tell them something."""

import json
import os
import shutil
import ssl
import tempfile
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..errors import CouldNotLook, SvcdoctorError, UsageError
from .names import FOLDER

Json = dict[str, Any]

PATIENCE = 30.0
"""Seconds that a lab gets to answer: a large one has much to think about."""


def folders() -> Iterator[Path]:
    """What labs have left in the temporary folder, alive or dead; the newest first."""
    found = [path for path in Path(tempfile.gettempdir()).glob(f"{FOLDER}*") if path.is_dir()]
    yield from sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def alive(folder: Path) -> bool:
    """Whether the process that made ``folder`` still runs."""
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True


def clean() -> list[Path]:
    """Removes the folders of labs that ended without doing so themselves."""
    dead = [folder for folder in folders() if not alive(folder) and os.access(folder, os.W_OK)]
    for folder in dead:
        shutil.rmtree(folder, ignore_errors=True)
    return dead


def newest() -> Path:
    """The kubeconfig of the lab that was started last. Raises UsageError where none runs."""
    for folder in folders():
        if alive(folder) and os.access(folder / "kubeconfig", os.R_OK):
            return folder / "kubeconfig"
    raise UsageError("no lab is running", "start one with: svcdoctor lab up")


def tell(kubeconfig: Path, what: str, **words: Any) -> Json:
    """What the lab of ``kubeconfig`` answers when it is told ``what``. Raises UsageError, CouldNotLook."""
    server, token, authority = _access(kubeconfig)
    request = urllib.request.Request(
        f"{server}/lab/{what}",
        json.dumps(words).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, context=authority) as answer:
            said: Json = json.load(answer)
            return said
    except urllib.error.HTTPError as error:
        raise _refused(error, kubeconfig) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise CouldNotLook(f"the lab of {kubeconfig} does not answer: {why}", "is it still running?") from None


def _refused(error: urllib.error.HTTPError, kubeconfig: Path) -> SvcdoctorError:
    try:
        message = str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError):
        message = f"{error.code} {error.reason}"
    if error.code == 404:
        return UsageError(f"{kubeconfig} is not a lab's kubeconfig", "start a lab with: svcdoctor lab up")
    return UsageError(message)


def _access(kubeconfig: Path) -> tuple[str, str, ssl.SSLContext]:
    try:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
        return str(cluster["server"]), str(user["token"]), authority
    except OSError as error:
        raise UsageError(f"cannot read {kubeconfig}: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, IndexError, TypeError, ValueError):
        raise UsageError(f"{kubeconfig} is not a lab's kubeconfig", "start a lab with: svcdoctor lab up") from None
