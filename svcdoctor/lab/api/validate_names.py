"""The formats of names, labels and ports, and what is said of those that break them.

Source: apimachinery/pkg/util/validation. Each check gives its complaints, none where all is well.
"""

import re

NAME_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
NAME_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
WILDCARD = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    r"regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
QUALIFIED = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"
CONFIG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
PORT_RANGE = "must be between 1 and 65535, inclusive"

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_ENV_NAME = re.compile(r"[ -<>-~]+")


def dns_label(text: str) -> list[str]:
    """RFC 1123, as for Services, namespaces, containers and named ports."""
    return _length(text, 63) + ([] if _LABEL.fullmatch(text) else [NAME_LABEL])


def dns_subdomain(text: str) -> list[str]:
    """RFC 1123, as for most objects' names."""
    return _length(text, 253) + ([] if _SUBDOMAIN.fullmatch(text) else [NAME_SUBDOMAIN])


def wildcard_subdomain(text: str) -> list[str]:
    rest = text.removeprefix("*.")
    return _length(text, 253) + ([] if rest != text and _SUBDOMAIN.fullmatch(rest) else [WILDCARD])


def path_segment(text: str) -> list[str]:
    """The names of RBAC's objects and EndpointSlice owners: whatever fits into a path."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{sign}'" for sign in ("/", "%") if sign in text]


def qualified_name(text: str) -> list[str]:
    """A label's or annotation's key: ``[prefix/]name``."""
    parts = text.split("/")
    if len(parts) > 2:
        return [
            f"a qualified name {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    wrong = []
    if len(parts) == 2:
        wrong += (
            ["prefix part must be non-empty"] if not parts[0] else _prefixed("prefix part", dns_subdomain(parts[0]))
        )
    name = parts[-1]
    if not name:
        wrong.append("name part must be non-empty")
    wrong += _prefixed("name part", _length(name, 63))
    return wrong if _QUALIFIED.fullmatch(name) else [*wrong, f"name part {QUALIFIED}"]


def label_value(text: str) -> list[str]:
    return _length(text, 63) + ([] if not text or _QUALIFIED.fullmatch(text) else [LABEL_VALUE])


def config_key(text: str) -> list[str]:
    """A key of a ConfigMap's or Secret's data."""
    if not text:
        return [CONFIG_KEY]
    if text in (".", ".."):
        return [f"must not be '{text}'"]
    wrong = _length(text, 253) + ([] if _CONFIG_KEY.fullmatch(text) else [CONFIG_KEY])
    return wrong + (["must not start with '..'"] if text.startswith("..") else [])


def env_name(text: str) -> list[str]:
    return [] if _ENV_NAME.fullmatch(text) else [ENV_NAME]


def port_number(port: int) -> list[str]:
    return [] if 1 <= port <= 65535 else [PORT_RANGE]


def port_name(text: str) -> list[str]:
    """A container port's name (IANA_SVC_NAME), and so what targetPort may name."""
    wrong = _length(text, 15)
    if not re.fullmatch(r"[-a-z0-9]+", text):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", text):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in text:
        wrong.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        wrong.append("must not begin or end with a hyphen")
    return wrong


def _length(text: str, limit: int) -> list[str]:
    return [] if len(text.encode()) <= limit else [f"must be no more than {limit} bytes"]


def _prefixed(prefix: str, wrong: list[str]) -> list[str]:
    return [f"{prefix} {complaint}" for complaint in wrong]
