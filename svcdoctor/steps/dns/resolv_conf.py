"""A resolver's configuration, /etc/resolv.conf, as glibc reads it (resolv.conf(5), resolv/res_init.c)."""

import re
from ipaddress import ip_address

from msgspec import Struct

MOST_NAMESERVERS = 3
MOST_NDOTS = 15
LOCAL_SERVERS = ("127.0.0.1",)
"""What is asked where no nameserver is named."""

_LINE = re.compile(r"(?P<word>[a-z]+)[ \t]+(?P<rest>\S.*?)\s*\Z")
_NUMBER = re.compile(r"\d+")
_NUMBERED = {"ndots": MOST_NDOTS, "timeout": 30, "attempts": 5}
_DEFAULTS = {"ndots": 1, "timeout": 5, "attempts": 2}


class ResolvConf(Struct, frozen=True):
    """What a resolver was told. Later ``search`` and ``domain`` lines replace earlier ones, ``options`` add up."""

    nameservers: tuple[str, ...] = ()  # in their order, all that are addresses
    search: tuple[str, ...] = ()  # without trailing dots; the root is "."
    options: tuple[str, ...] = ()  # as written: "ndots:5", "rotate"
    garbage: tuple[str, ...] = ()  # lines and addresses that no resolver understands, with their numbers

    @property
    def asked(self) -> tuple[str, ...]:
        """The servers that are asked: no more than three."""
        return self.nameservers[:MOST_NAMESERVERS] or LOCAL_SERVERS

    @property
    def never_asked(self) -> tuple[str, ...]:
        return self.nameservers[MOST_NAMESERVERS:]

    @property
    def named(self) -> dict[str, str]:
        """The options by name, the last one of a name counting; "" for those without a value."""
        return {name: value for name, _, value in (option.partition(":") for option in self.options)}

    def number(self, option: str) -> int:
        """``ndots``, ``timeout`` (seconds) or ``attempts``, with its default and within its limit."""
        digits = _NUMBER.match(self.named.get(option, ""))
        return min(int(digits[0]), _NUMBERED[option]) if digits else _DEFAULTS[option]

    @property
    def ndots(self) -> int:
        return self.number("ndots")

    def render(self) -> str:
        """The file as containerd writes it."""
        lines = [f"search {' '.join(self.search)}"] if self.search else []
        lines += [f"nameserver {server}" for server in self.nameservers]
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> ResolvConf:
    """Read a resolv.conf; any text is one. Lines that begin with white space count for nothing, as in both libcs."""
    nameservers: list[str] = []
    search: tuple[str, ...] = ()
    options: dict[str, str] = {}
    garbage: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith(("#", ";")):
            continue
        found = _LINE.match(line)
        word, words = (found["word"], found["rest"].split()) if found else ("", [])
        if word == "nameserver" and _is_address(words[0]):
            nameservers.append(words[0])
        elif word in ("search", "domain"):
            search = tuple(_undotted(name) for name in (words if word == "search" else words[:1]))
        elif word == "options":
            options |= {option.partition(":")[0]: option for option in words}
        elif word != "sortlist":
            garbage.append(f"line {number}: {line.strip()}")
    return ResolvConf(tuple(nameservers), search, tuple(options.values()), tuple(garbage))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _undotted(name: str) -> str:
    return name if name == "." else name.removesuffix(".")
