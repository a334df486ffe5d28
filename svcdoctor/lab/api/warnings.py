"""Warning headers: what the API server says beside a good answer."""

from collections.abc import Iterable, Mapping

from ..resources import Resource

DEPRECATED: Mapping[str, str] = {
    "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
"""By group resource."""


def warning_headers(resource: Resource, said: Iterable[str] = ()) -> dict[str, str]:
    """One Warning header of RFC 7234 with all there is to say; none where there is nothing."""
    texts = [DEPRECATED[resource.group_resource]] if resource.group_resource in DEPRECATED else []
    values = [f'299 - "{_quoted(text)}"' for text in (*texts, *said)]
    return {"Warning": ", ".join(values)} if values else {}


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
