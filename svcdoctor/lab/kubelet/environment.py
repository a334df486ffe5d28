"""A container's environment: Services first, then what its spec says.

Source: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables, getServiceEnvVarMap) and envvars.go of Kubernetes 1.36.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..resources import named
from ..store import Store

Json = dict[str, Any]

CONFIGMAPS = named("configmaps")
SECRETS = named("secrets")
SERVICES = named("services")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REFERENCE = re.compile(r"\$\$|\$\((?P<name>[-._a-zA-Z][-._a-zA-Z0-9]*)\)")


class Unresolved(Exception):
    """A variable's source is not there. Its text is the kubelet's."""


def environment(store: Store, pod: Json, container: Json, addresses: Sequence[str], host: str) -> dict[str, str]:
    """All variables of a container that is started now. Raises Unresolved."""
    namespace = pod["metadata"]["namespace"]
    made = {"PATH": PATH, "HOSTNAME": host}
    made |= dict(_service_links(store, namespace, pod["spec"].get("enableServiceLinks", True)))
    for source in container.get("envFrom") or ():
        for key, value in _all_of(store, namespace, source).items():
            made[source.get("prefix", "") + key] = value
    for variable in container.get("env") or ():
        if "valueFrom" in variable:
            found = _value_from(store, pod, container, variable["valueFrom"], addresses)
            made |= {variable["name"]: found} if found is not None else {}
        else:
            made[variable["name"]] = expand(variable.get("value") or "", made)
    return made


def expand(text: str, values: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced where it is known; ``$$`` is a plain dollar."""

    def put(found: re.Match[str]) -> str:
        return "$" if found["name"] is None else values.get(found["name"], found[0])

    return _REFERENCE.sub(put, text)


def _service_links(store: Store, namespace: str, all_of_them: bool) -> Iterator[tuple[str, str]]:
    """The variables of Docker's links: of the master's Service always, of the namespace's own if wanted."""
    found = [store.get(SERVICES, "default", "kubernetes")]
    if all_of_them:
        found += [stored.load() for stored in store.list(SERVICES, namespace)]
    for service in found:
        spec = service["spec"] if service else {}
        if service and spec.get("clusterIP") not in (None, "", "None") and spec.get("ports"):
            yield from _links(service["metadata"]["name"], spec)


def _links(service: str, spec: Json) -> Iterator[tuple[str, str]]:
    name, address, ports = service.upper().replace("-", "_"), spec["clusterIP"], spec["ports"]
    host = f"[{address}]" if ":" in address else address
    yield f"{name}_SERVICE_HOST", address
    yield f"{name}_SERVICE_PORT", str(ports[0]["port"])
    for port in ports:
        if port.get("name"):
            yield f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}", str(port["port"])
    for index, port in enumerate(ports):
        protocol, number = port.get("protocol", "TCP"), port["port"]
        prefix = f"{name}_PORT_{number}_{protocol}"
        if index == 0:
            yield f"{name}_PORT", f"{protocol.lower()}://{host}:{number}"
        yield prefix, f"{protocol.lower()}://{host}:{number}"
        yield f"{prefix}_PROTO", protocol.lower()
        yield f"{prefix}_PORT", str(number)
        yield f"{prefix}_ADDR", address


def _all_of(store: Store, namespace: str, source: Json) -> Mapping[str, str]:
    kind, resource = ("configMap", CONFIGMAPS) if "configMapRef" in source else ("secret", SECRETS)
    given = source[f"{kind}Ref"]
    found = store.get(resource, namespace, given["name"])
    if found is None:
        if given.get("optional"):
            return {}
        raise Unresolved(f'{kind.lower()} "{given["name"]}" not found')
    return found.get("data") or {}


def _value_from(store: Store, pod: Json, container: Json, source: Json, addresses: Sequence[str]) -> str | None:
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"], addresses)
    if "resourceFieldRef" in source:
        kind, _, name = source["resourceFieldRef"]["resource"].partition(".")
        return str(((container.get("resources") or {}).get(kind) or {}).get(name, "0"))
    kind, resource = ("ConfigMap", CONFIGMAPS) if "configMapKeyRef" in source else ("Secret", SECRETS)
    given = source.get("configMapKeyRef") or source["secretKeyRef"]
    found = store.get(resource, pod["metadata"]["namespace"], given["name"])
    if found is None:
        if given.get("optional"):
            return None
        raise Unresolved(f'{kind.lower()} "{given["name"]}" not found')
    value = (found.get("data") or {}).get(given["key"])
    if value is None and not given.get("optional"):
        place = f"{pod['metadata']['namespace']}/{given['name']}"
        raise Unresolved(f"couldn't find key {given['key']} in {kind} {place}")
    return value


def field(pod: Json, path: str, addresses: Sequence[str]) -> str:
    """The downward API's fields."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    simple: dict[str, Callable[[], Any]] = {
        "metadata.name": lambda: meta["name"],
        "metadata.namespace": lambda: meta["namespace"],
        "metadata.uid": lambda: meta["uid"],
        "spec.nodeName": lambda: spec.get("nodeName", ""),
        "spec.serviceAccountName": lambda: spec.get("serviceAccountName", ""),
        "status.hostIP": lambda: status.get("hostIP", ""),
        "status.hostIPs": lambda: ",".join(one["ip"] for one in status.get("hostIPs") or ()),
        "status.podIP": lambda: addresses[0] if addresses else "",
        "status.podIPs": lambda: ",".join(addresses),
    }
    if path in simple:
        return str(simple[path]())
    found = re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path)
    return str((meta.get(found[1]) or {}).get(found[2], "")) if found else ""


def missing_volume(store: Store, pod: Json) -> tuple[str, str] | None:
    """The first volume whose source is not there: its name and why, as the kubelet says it."""
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        for kind, resource, where in (("configMap", CONFIGMAPS, "name"), ("secret", SECRETS, "secretName")):
            given = volume.get(kind)
            if given is None or given.get("optional"):
                continue
            found = store.get(resource, namespace, given[where])
            if found is None:
                return volume["name"], f'{kind.lower()} "{given[where]}" not found'
            held = {**(found.get("data") or {}), **(found.get("binaryData") or {})}
            for item in given.get("items") or ():
                if item["key"] not in held:
                    return volume["name"], f"{kind.lower()} references non-existent config key: {item['key']}"
    return None
