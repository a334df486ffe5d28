"""What the lab's images can do that needs the whole cluster: kube-proxy's tools, a client's look-ups."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import structs

from .dns.dns_tools import Printed, dig_short, getent_hosts, nslookup
from .dns.search import Ask
from .images import Answer, Call, Images, Launch, Program, lab_images, toolbox
from .images.commands import FOREVER
from .images.reference import DEFAULT_REGISTRY
from .kubeproxy import KubeProxies
from .proxy import KUBE_PROXY_IMAGE

Json = dict[str, Any]

PAGES = {
    "/healthz": ("proxy-healthz.json", "application/json"),
    "/metrics": ("proxy-metrics.txt", "text/plain; version=0.0.4; charset=utf-8"),
    "/proxyMode": ("proxy-mode.txt", "text/plain; charset=utf-8"),
    "/configz": ("proxy-configz.json", "application/json"),
}
"""Path -> the file of the snapshot's layout that it shows, and its content type."""
RESOLV_CONF = "/etc/resolv.conf"
USAGE = 2


def images(proxies: KubeProxies, ask: Ask, resolv_conf: Callable[[Json], str]) -> Images:
    """The lab's registry. ``resolv_conf`` gives the file that a pod's kubelet wrote for it."""
    found = lab_images()
    for image in (_kube_proxy(found, proxies), _client(found, ask, resolv_conf)):
        found.add(image)
    return found


def _kube_proxy(found: Images, proxies: KubeProxies) -> Any:
    image, _ = found.find(f"{DEFAULT_REGISTRY}/kube-proxy:v1.36.2")
    plain = image.run

    def run(launch: Launch) -> Program:
        node = launch.pod["spec"].get("nodeName", "")

        def page(path: str, age: float) -> Answer | None:
            return _page(proxies.files(node), path)

        return structs.replace(plain(launch), dynamic=page)

    async def tool(call: Call) -> int:
        answer = proxies.run(call.launch.pod["spec"]["nodeName"], call.argv)
        assert answer is not None  # the commands are those that it knows
        code, out, err = answer
        await call.stdout.write(out.encode())
        await call.stderr.write(err.encode())
        return code

    return structs.replace(image, run=run, has_shell=False, commands=dict.fromkeys(KUBE_PROXY_IMAGE, tool))


def _page(files: Mapping[str, str], path: str) -> Answer | None:
    """What kube-proxy serves on 10249 and 10256; no answer, ever, where the process stands still."""
    if path not in PAGES:
        return None
    file, kind = PAGES[path]
    text = files.get(file, "")
    if not text:
        return Answer(after=FOREVER)
    return Answer(_status(text) if path == "/healthz" else 200, text, content_type=kind)


def _status(health: str) -> int:
    """What /healthz of 10256 answers with."""
    try:
        return 200 if json.loads(health).get("healthy", True) else 503
    except (ValueError, AttributeError):
        return 200


def _client(found: Images, ask: Ask, resolv_conf: Callable[[Json], str]) -> Any:
    image, _ = found.find(f"{DEFAULT_REGISTRY}/client:1")

    tools: Mapping[str, Callable[[str, list[str]], Printed]] = {
        "nslookup": lambda conf, words: nslookup(conf, _name("nslookup NAME", words), ask),
        "getent": lambda conf, words: getent_hosts(conf, _name("getent hosts NAME", words, "hosts"), ask),
        "dig": lambda conf, words: _dig(conf, words, ask),
    }

    def printed(launch: Launch, argv: Sequence[str]) -> tuple[str, str, int]:
        try:
            out, code = tools[argv[0]](resolv_conf(launch.pod), list(argv[1:]))
        except _Usage as usage:
            return "", f"usage: {usage}\n", USAGE
        return out, "", code

    async def command(call: Call) -> int:
        out, err, code = printed(call.launch, call.argv)
        await call.stdout.write(out.encode())
        await call.stderr.write(err.encode())
        return code

    def file(launch: Launch, path: str) -> bytes | None:
        return resolv_conf(launch.pod).encode() if path == RESOLV_CONF else None

    def run(launch: Launch) -> Program:
        return toolbox.client(launch, dict.fromkeys(tools, partial(printed, launch)), partial(file, launch))

    return structs.replace(image, run=run, commands=dict.fromkeys(tools, command), files=file)


class _Usage(Exception):
    """The command takes other words."""


def _name(usage: str, words: list[str], *before: str) -> str:
    if len(words) != len(before) + 1 or tuple(words[: len(before)]) != before:
        raise _Usage(usage)
    return words[-1]


def _dig(conf: str, words: list[str], ask: Ask) -> Printed:
    plain = [word for word in words if word not in ("+short", "+search")]
    if not 1 <= len(plain) <= 2 or plain[0].startswith(("@", "-")):
        raise _Usage("dig +short NAME [TYPE]")
    return dig_short(conf, plain[0], plain[1] if len(plain) > 1 else "A", ask)
