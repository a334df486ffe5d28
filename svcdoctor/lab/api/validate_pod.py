"""What a pod, or a pod template, may say; what of a pod may change.

Source: pkg/apis/core/validation (ValidatePodSpec, ValidatePodUpdate).
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from .quantity import parse_quantity
from .validate_addresses import ip
from .validate_errors import FieldError, duplicate, forbidden, invalid, not_found, not_supported, required
from .validate_meta import labels
from .validate_names import config_key, dns_label, dns_subdomain, env_name, port_name, port_number, qualified_name
from .validate_service import port_or_name, protocol

Json = dict[str, Any]

RESTARTS = ("Always", "Never", "OnFailure")
PULLS = ("Always", "IfNotPresent", "Never")
DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
NOT_NEGATIVE = "must be greater than or equal to 0"
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
UPDATABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(item: Json) -> list[FieldError]:
    return pod_spec("spec", item.get("spec") or {})


def pod_spec(place: str, spec: Json) -> list[FieldError]:
    volumes = [volume.get("name", "") for volume in spec.get("volumes") or ()]
    errors = list(_volumes(f"{place}.volumes", spec.get("volumes") or ()))
    if not spec.get("containers"):
        errors.append(required(f"{place}.containers"))
    seen: set[str] = set()
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            where = f"{place}.{field}[{index}]"
            errors += _container(where, container, volumes, bool(spec.get("hostNetwork")))
            if container.get("name") in seen:
                errors.append(duplicate(f"{where}.name", container["name"]))
            seen.add(container.get("name", ""))
    for field, known in (("restartPolicy", RESTARTS), ("dnsPolicy", DNS_POLICIES)):
        if not spec.get(field):
            errors.append(required(f"{place}.{field}"))
        elif spec[field] not in known:
            errors.append(not_supported(f"{place}.{field}", spec[field], known))
    errors += labels(f"{place}.nodeSelector", spec.get("nodeSelector"))
    return [*errors, *_others(place, spec)]


def _others(place: str, spec: Json) -> Iterator[FieldError]:
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            yield from (invalid(f"{place}.{field}", spec[field], wrong) for wrong in dns_label(spec[field]))
    for field in ("serviceAccountName", "nodeName", "priorityClassName"):
        if spec.get(field):
            yield from (invalid(f"{place}.{field}", spec[field], wrong) for wrong in dns_subdomain(spec[field]))
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield invalid(f"{place}.terminationGracePeriodSeconds", spec["terminationGracePeriodSeconds"], NOT_NEGATIVE)
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        field = f"{place}.readinessGates[{index}].conditionType"
        yield from (invalid(field, kind, wrong) for wrong in qualified_name(kind))
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        yield from ip(f"{place}.hostAliases[{index}].ip", alias.get("ip", ""))
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{place}.dnsConfig.nameservers", why)


def _volumes(place: str, volumes: Sequence[Json]) -> Iterator[FieldError]:
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        name = volume.get("name") or ""
        if not name:
            yield required(f"{place}[{index}].name")
        yield from (invalid(f"{place}[{index}].name", name, wrong) for wrong in (dns_label(name) if name else ()))
        if name in names:
            yield duplicate(f"{place}[{index}].name", name)
        names.add(name)
        sources = [key for key in volume if key != "name"]
        for extra in sources[1:]:
            yield forbidden(f"{place}[{index}].{extra}", "may not specify more than 1 volume type")


def _container(place: str, container: Json, volumes: Sequence[str], host_network: bool) -> list[FieldError]:
    name, image = container.get("name") or "", container.get("image") or ""
    errors = [] if name else [required(f"{place}.name")]
    errors += [invalid(f"{place}.name", name, wrong) for wrong in (dns_label(name) if name else ())]
    if not image:
        errors.append(required(f"{place}.image"))
    elif image != image.strip():
        errors.append(invalid(f"{place}.image", image, "must not have leading or trailing whitespace"))
    policy = container.get("imagePullPolicy")
    if policy not in PULLS:
        errors.append(
            not_supported(f"{place}.imagePullPolicy", policy, PULLS) if policy else required(f"{place}.imagePullPolicy")
        )
    errors += _ports(f"{place}.ports", container.get("ports") or (), host_network)
    for index, variable in enumerate(container.get("env") or ()):
        errors += _variable(f"{place}.env[{index}]", variable)
    errors += _mounts(f"{place}.volumeMounts", container.get("volumeMounts") or (), volumes)
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(field) is not None:
            errors += _probe(f"{place}.{field}", container[field], field != "readinessProbe")
    return [*errors, *_resources(f"{place}.resources", container.get("resources") or {})]


def _ports(place: str, ports: Sequence[Json], host_network: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        field, name, number = f"{place}[{index}]", port.get("name") or "", port.get("containerPort", 0)
        errors += [invalid(f"{field}.name", name, wrong) for wrong in (port_name(name) if name else ())]
        if name and name in names:
            errors.append(duplicate(f"{field}.name", name))
        names.add(name)
        if not number:
            errors.append(required(f"{field}.containerPort"))
        else:
            errors += [invalid(f"{field}.containerPort", number, wrong) for wrong in port_number(number)]
        host = port.get("hostPort", 0)
        errors += [invalid(f"{field}.hostPort", host, wrong) for wrong in (port_number(host) if host else ())]
        if host_network and host and host != number:
            errors.append(invalid(f"{field}.containerPort", number, "must match `hostPort` when `hostNetwork` is true"))
        errors += protocol(f"{field}.protocol", port.get("protocol"))
    return errors


def _variable(place: str, variable: Json) -> Iterator[FieldError]:
    name = variable.get("name") or ""
    if not name:
        yield required(f"{place}.name")
    else:
        yield from (invalid(f"{place}.name", name, wrong) for wrong in env_name(name))
    sources = variable.get("valueFrom")
    if sources is not None and variable.get("value"):
        yield invalid(f"{place}.valueFrom", "", "may not be specified when `value` is not empty")
    elif sources is not None and len(sources) != 1:
        how = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid(f"{place}.valueFrom", "", how if not sources else "may not have more than one field specified")
    for kind in ("configMapKeyRef", "secretKeyRef"):
        reference = (sources or {}).get(kind)
        if reference is not None:
            key = reference.get("key", "")
            yield from (invalid(f"{place}.valueFrom.{kind}.key", key, wrong) for wrong in config_key(key))


def _mounts(place: str, mounts: Sequence[Json], volumes: Sequence[str]) -> Iterator[FieldError]:
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        name, path = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{place}[{index}].name")
        elif name not in volumes:
            yield not_found(f"{place}[{index}].name", name)
        if not path:
            yield required(f"{place}[{index}].mountPath")
        elif path in paths:
            yield invalid(f"{place}[{index}].mountPath", path, "must be unique")
        paths.add(path)


def _probe(place: str, probe: Json, once: bool) -> Iterator[FieldError]:
    """``once``: liveness and startup probes succeed the first time."""
    handlers = [handler for handler in HANDLERS if probe.get(handler) is not None]
    if not handlers:
        yield required(place, "must specify a handler type")
    for extra in handlers[1:]:
        yield forbidden(f"{place}.{extra}", "may not specify more than 1 handler type")
    for handler in handlers[:1]:
        yield from _handler(f"{place}.{handler}", handler, probe[handler])
    fields = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    for field in fields:
        if probe.get(field, 0) < 0:
            yield invalid(f"{place}.{field}", probe[field], NOT_NEGATIVE)
    if once and probe.get("successThreshold", 1) != 1:
        yield invalid(f"{place}.successThreshold", probe["successThreshold"], "must be 1")


def _handler(place: str, handler: str, found: Json) -> Iterator[FieldError]:
    if handler == "exec":
        if not found.get("command"):
            yield required(f"{place}.command")
        return
    yield from port_or_name(f"{place}.port", found.get("port", 0))
    if handler == "httpGet":
        if not found.get("path"):
            yield required(f"{place}.path")
        if found.get("scheme") not in ("HTTP", "HTTPS"):
            yield not_supported(f"{place}.scheme", found.get("scheme", ""), ("HTTP", "HTTPS"))


def _resources(place: str, resources: Json) -> Iterator[FieldError]:
    limits = resources.get("limits") or {}
    for kind, asked in (resources.get("requests") or {}).items():
        if kind in limits and parse_quantity(asked) > parse_quantity(limits[kind]):
            why = f"must be less than or equal to {kind} limit of {limits[kind]}"
            yield invalid(f"{place}.requests", asked, why)


# -------------------------------------------------------------------------------------------------------------- updates


def pod_update(old: Json, new: Json) -> list[FieldError]:
    """Images, deadlines and further tolerations may change; readiness is the kubelet's."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    for field in ("containers", "initContainers"):
        if len(before.get(field) or ()) != len(after.get(field) or ()):
            return [forbidden(f"spec.{field}", "pod updates may not add or remove containers")]
    tolerated = after.get("tolerations") or []
    if any(one not in tolerated for one in before.get("tolerations") or ()):
        return [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")]
    return [] if _fixed(before, after) == _fixed(before, before) else [forbidden("spec", UPDATABLE)]


def _fixed(before: Json, spec: Json) -> Json:
    """What of a spec must be as it was before."""
    kept = copy.deepcopy(spec)
    for field in ("activeDeadlineSeconds", "tolerations", "ephemeralContainers", "schedulingGates"):
        kept.pop(field, None)
    if before.get("terminationGracePeriodSeconds", 0) < 0:
        kept.pop("terminationGracePeriodSeconds", None)
    for field in ("containers", "initContainers"):
        for container in kept.get(field) or ():
            container.pop("image", None)
    return kept
