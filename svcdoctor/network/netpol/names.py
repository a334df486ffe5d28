"""Names as the API server checks them (apimachinery/pkg/util/validation)."""

import re

QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
SERVICE_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def subdomain(text: str) -> bool:
    """An RFC 1123 subdomain, as the name of a policy."""
    return len(text) <= 253 and SUBDOMAIN.fullmatch(text) is not None


def label_key(text: str) -> bool:
    """``[prefix/]name``: a qualified name."""
    prefix, slash, name = text.rpartition("/")
    if slash and ("/" in prefix or not subdomain(prefix)):
        return False
    return len(name) <= 63 and QUALIFIED.fullmatch(name) is not None


def label_value(text: str) -> bool:
    """A qualified name without prefix, or nothing."""
    return not text or (len(text) <= 63 and QUALIFIED.fullmatch(text) is not None)


def port_name(text: str) -> bool:
    """An IANA_SVC_NAME: at most 15 characters, one of them a letter."""
    return len(text) <= 15 and SERVICE_NAME.fullmatch(text) is not None and re.search("[a-z]", text) is not None
