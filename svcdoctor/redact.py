"""What a snapshot must not hold, taken out of what the API server said: in one place, on the way to the disk.

Environment values go without a look. Elsewhere a secret is known by the name it is given (``--password=``,
``"token":``) or by its shape (JWT, PEM, cloud keys, long random base64). Labels, selectors, names, ports, paths and
prose stay as they are: the steps read them. A secret that has neither a telling name nor a telling shape can't be told
from other text.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

import msgspec

from .model.service import LAST_APPLIED_ANNOTATION

GONE = "[redacted]"

WORD_END = "\x1f"
"""Joins the words of a command line: it counts as white space, no pattern here takes it away, no program uses it."""

VERBATIM = frozenset({"labels", "matchLabels", "matchExpressions", "nodeSelector", "selector", "image", "imageID"})
"""Fields that hold no free text, and by whose exact values objects are matched."""

STRONG = r"passw|passphrase|passcode|pass(?![a-z])|pwd|(?:api|access|private|secret|signing|encryption|master)[-_.]?key"
WEAK = r"secret|token(?!iz)|credential|cookie|authorization|auth(?![a-z])"
SECRET_NAME = re.compile(f"{STRONG}|{WEAK}", re.IGNORECASE)
STRONG_NAME = re.compile(f"(?:{STRONG})", re.IGNORECASE)
HARMLESS_NAME = re.compile(
    r"(?:file|path|dir|name|ref|port|host|ur[il]|endpoint|addr|address|ttl|timeout|seconds|period|interval|expiry|expiration"
    r"|issuer|audience|type|mode|header|size|length|limit|count|policy|method|algorithm|namespace|enabled|mount|volume"
    r"|version|service|svc|api|server|manager|controller|operator|proxy|store|provider|webhook|client|cache)s?$",
    re.IGNORECASE,
)
"""``--token-file``, ``tokenExpirationSeconds``, ``auth-service:8080``: names that speak of a secret and hold none."""

SECRETS_PATH = re.compile(r"api/v1/(?:namespaces/[^/]+/)?secrets(?:/.*)?")
SYSTEM_CONFIG_PATH = re.compile(r"api/v1/namespaces/kube-system/configmaps/[^/]+")

_VALUE = (
    r"""(?:\\{1,8}"(?:(?!\\{1,8}")[^\x1f])*(?:\\{1,8}"|\Z|(?=\x1f))"""  # quoted inside a quoted JSON text
    r"""|"(?:[^"\\\x1f]|\\.)*(?:"|\Z|(?=\x1f))|'[^'\x1f]*(?:'|\Z|(?=\x1f))"""
    r"""|(?:[^\s"'\\&;|]|\\(?!["']))+)"""
)
_ASSIGNED = re.compile(
    rf"""(?P<name>(?:{STRONG}|{WEAK})[\w.\-]{{0,60}})(?P<sign>\\*["']?(?:\s*=>?\s*|:\s*))(?P<value>{_VALUE})""",
    re.IGNORECASE,
)
_FLAG = re.compile(
    rf"""(?P<name>(?<!\S)--?[\w.\-]{{0,60}}?(?:{STRONG}|{WEAK})[\w.\-]{{0,60}})(?P<sign>\s+)(?P<value>(?!-){_VALUE})""",
    re.IGNORECASE,
)
_CLIENT = re.compile(
    r"(\b(?:mysql|mariadb)[^\n;|&]{0,200}?\s-p(?!\d{2,5}\b)|\bsshpass\s+-p\s*|\bredis-cli\b[^\n;|&]{0,200}?\s-a\s+"
    r"|\bcurl\b[^\n;|&]{0,200}?\s(?:-u|--user)[\s=]*)([^\s;|&]+)"
)
"""Clients whose short option is a password. Elsewhere ``-p`` is a port."""

_PROSE = re.compile(r"(?:[A-Za-z][a-z]+(?=\s+[\"\w])|x509:)")
"""After ``token:``, the start of a sentence: ``failed to fetch token: unexpected status``."""

_SHAPES = re.compile(
    r"-----BEGIN [A-Z0-9 ]+-----[^\x1f]*?(?:-----END [A-Z0-9 ]+-----|\Z|(?=\x1f))"
    r"|\beyJ[\w-]{16,}(?:\.[\w-]*){0,4}"  # a JSON Web Token, or the part of one
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}|\bya29\.[\w-]{20,}"
    r"|\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|sk-|sk_live_|sk_test_|npm_|hvs\.|hvb\.)[\w-]{20,}"
)
_AUTHORIZATION = re.compile(r"(\bauthorization\\*[\"']?\s*[:=]\s*\\*[\"']?)[^\n\"'\\\x1f]+", re.IGNORECASE)
_BEARER = re.compile(r"(\b(?:Bearer|Basic)\s+)(?![a-z]+\b)[\w.~+/-]{8,}=*", re.IGNORECASE)
_USERINFO = re.compile(r"(://)[^\s/\"'<>]*@(?!sha256:)|[^\s:/@\"']{1,64}:[^\s/@\"']{1,128}@(?=(?:tcp|udp|unix)?\()")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")


@lru_cache(maxsize=8192)
def names_a_secret(name: str) -> bool:
    """Whether what stands under ``name`` is a secret itself, not its file, its length or its lifetime."""
    return bool(SECRET_NAME.search(name)) and not HARMLESS_NAME.search(name)


@lru_cache(maxsize=8192)
def text(value: str) -> str:
    """``value`` without what looks like a secret: a message, a log, a command line."""
    if len(value) < 6:  # no name and value fit
        return value
    value = _SHAPES.sub(GONE, value)
    value = _RUN.sub(_random, value)
    value = _USERINFO.sub(lambda match: f"{match[1] or ''}{GONE}@", value)
    value = _AUTHORIZATION.sub(rf"\1{GONE}", value)
    value = _BEARER.sub(rf"\1{GONE}", value)
    value = _CLIENT.sub(rf"\1{GONE}", value)
    value = _FLAG.sub(_flag, value)
    return _ASSIGNED.sub(_assigned, value)


def _flag(match: re.Match[str]) -> str:
    return match["name"] + match["sign"] + _emptied(match["value"]) if names_a_secret(match["name"]) else match[0]


def _assigned(match: re.Match[str]) -> str:
    name, sign, value = match["name"], match["sign"], match["value"]
    if not names_a_secret(name) or value in (GONE, "YES", "NO", "YES)", "NO)"):  # MySQL's "using password: YES"
        return match[0]
    strong = STRONG_NAME.match(name)
    if sign == ":" and value[:1] not in ("'", '"', "\\") and not (strong and strong.end() == len(name)):
        return match[0]  # an address or an image: auth:8080, token:v2
    if not strong and ":" in sign and _PROSE.match(match.string, match.start("value")):
        return match[0]
    return f"{name}{sign}{_emptied(value)}"


def _emptied(value: str) -> str:
    """``value`` in the same quotes, if it has any: a line of JSON stays one."""
    quote = re.match(r"""\\*["']?""", value)
    mark = quote[0] if quote else ""
    return f"{mark}{GONE}{mark if value.endswith(mark) else ''}"


def _random(match: re.Match[str]) -> str:
    """Base64 mixes upper case, lower case and digits all along; a file path may have all three, in words."""
    kinds = ["aA0"[2 if char.isdigit() else char.isupper()] for char in match[0] if char.isalnum()]
    changes = sum(a != b for a, b in pairwise(kinds))
    mixed = len(set(kinds)) == 3
    return GONE if mixed and ("/" not in match[0] or changes * 3 >= len(kinds)) else match[0]


def admits(path: str, document: Mapping[str, Any]) -> bool:
    """Whether such a document may be saved at all: never a Secret, of ConfigMaps those of kube-system.

    A name server may live elsewhere: a ConfigMap that holds a Corefile is one of its own.
    """
    if document.get("kind") in ("Secret", "SecretList") or SECRETS_PATH.fullmatch(path):
        return False
    if document.get("kind") not in ("ConfigMap", "ConfigMapList") or SYSTEM_CONFIG_PATH.fullmatch(path):
        return True
    data = document.get("data")
    return isinstance(data, dict) and "Corefile" in data


def document(value: Any, service: bool = False) -> Any:
    """A JSON document of the API without its secrets.

    managedFields and kubectl's last-applied-configuration hold a copy of the whole spec, so they go too, except of a
    Service: there they tell when, and from what, its selector was changed.
    """
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [document(item, service) for item in value]
    if not isinstance(value, dict):
        return value
    service = service or value.get("kind") == "Service"
    gone = {"stringData", "binaryData", *(() if service else ("managedFields",))}
    if value.get("kind") == "Secret":
        gone.add("data")
    kept = {key: _member(key, item, service) for key, item in value.items() if key not in gone}
    if names_a_secret(str(value.get("name", ""))) and isinstance(value.get("value"), str):  # a header: X-Token
        kept["value"] = GONE
    return kept


def _member(key: str, item: Any, service: bool) -> Any:
    if key in VERBATIM:
        return item
    if key == "env" and isinstance(item, list):
        return [_without_value(entry) for entry in item]
    if key in ("args", "command") and isinstance(item, list) and all(isinstance(word, str) for word in item):
        return command_line(item)
    if key in ("annotations", "data") and isinstance(item, dict):
        return _free_map(item, service)
    return _hidden(item) if names_a_secret(key) else document(item, service)


def _without_value(entry: Any) -> Any:
    return {key: document(item) for key, item in entry.items() if key != "value"} if isinstance(entry, dict) else GONE


def _hidden(item: Any) -> Any:
    if isinstance(item, list):
        return [_hidden(entry) for entry in item]
    return GONE if isinstance(item, str) else document(item)


def _free_map(entries: dict[str, Any], service: bool) -> dict[str, Any]:
    """Annotations, or the data of a ConfigMap: texts, each of which may be a JSON document itself."""
    kept = {}
    for name, entry in entries.items():
        if name == LAST_APPLIED_ANNOTATION and (not service or _parsed(entry) is None):
            continue
        kept[name] = GONE if names_a_secret(name) else _free(entry, service)
    return kept


def _free(entry: Any, service: bool) -> Any:
    inner = _parsed(entry)
    if inner is None:
        return document(entry, service)
    clean = document(inner, service)
    return entry if clean == inner else msgspec.json.encode(clean).decode()


def _parsed(entry: Any) -> Any:
    """The JSON object or list that a text holds, None if it holds none."""
    if not isinstance(entry, str) or not entry.lstrip().startswith(("{", "[")):
        return None
    try:
        return msgspec.json.decode(entry)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def command_line(words: list[str]) -> list[str]:
    """The words of ``args`` or ``command``: a flag that names a secret hides its value, which may be the next word."""
    line = WORD_END.join(_glued(word.replace(WORD_END, " ")) for word in words)
    return text(line).split(WORD_END) if words else []


def _glued(word: str) -> str:
    flag, equals, _ = word.partition("=")
    return f"{flag}={GONE}" if equals and re.fullmatch(r"--?[\w.\-]+", flag) and names_a_secret(flag) else word
