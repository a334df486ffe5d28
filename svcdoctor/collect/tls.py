"""How the server proves itself to us, and we to it."""

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import CouldNotLook
from .credentials import Credentials
from .kubeconfig_file import Cluster


def tls_context(cluster: Cluster, held: Credentials) -> ssl.SSLContext:
    """A context that holds CA and certificate; they touch the disk only while OpenSSL reads them."""
    authority = cluster.authority
    try:
        context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    except (ssl.SSLError, ValueError):
        raise CouldNotLook(
            "the certificate-authority of the cluster is no PEM certificate", "check the kubeconfig"
        ) from None
    # Clusters' own CAs are often older than X.509 strictness, which Python 3.13 turns on.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if cluster.insecure_skip_tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if held.certificate and held.key:
        with TemporaryDirectory(prefix="svcdoctor-") as folder:
            pair = Path(folder) / "pair.pem"
            pair.touch(mode=0o600)
            pair.write_bytes(held.certificate + b"\n" + held.key)
            try:
                context.load_cert_chain(pair, password=_no_password)
            except (ssl.SSLError, OSError, ValueError):
                raise CouldNotLook(
                    "the client certificate and key do not fit together", "check the kubeconfig"
                ) from None
    return context


def _no_password() -> str:
    """OpenSSL would ask the terminal for the password of an encrypted key."""
    raise CouldNotLook("the client key is encrypted", "store it without a password, as kubectl needs it too")
