"""PATCH: from the live object and the client's patch to what the object shall be.

Pure: what comes out still has to be decoded, defaulted and validated as if a client had sent it whole. A patch that
makes no sense is a Refusal (400 or 422), never another exception.
"""

import copy
from typing import Any

import jsonpatch
import jsonpointer
import msgspec
import yaml

from ..resources import Resource
from .openapi_types import type_of
from .patch_apply import merge_applied
from .patch_strategic import merge_strategic
from .status import Refusal, bad_request, failure, unsupported_media_type

Json = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)

MAX_OPERATIONS = 10_000
REJECTED = "the server rejected our request due to an error in our request"


def patched(resource: Resource, live: Json, media_type: str, body: bytes) -> Json:
    """The object after ``body``, which is of ``media_type``. For an apply to a new object ``live`` is empty."""
    kind_of_patch = media_type.partition(";")[0].strip().lower()
    if kind_of_patch not in PATCHES:
        raise unsupported_media_type()
    type_name = type_of(resource.api_version, resource.kind)
    if kind_of_patch == STRATEGIC_PATCH and type_name is None:  # a custom resource: nobody knows its merge keys
        raise unsupported_media_type([known for known in PATCHES if known != STRATEGIC_PATCH])
    if kind_of_patch == JSON_PATCH:
        return _operations(live, _parsed(body))
    if kind_of_patch == APPLY_PATCH:
        return merge_applied(type_name, live, _mapping(_parsed_yaml(body)))
    patch = _mapping(_parsed(body))
    if kind_of_patch == MERGE_PATCH:
        return _mapping(merge(live, patch))
    assert type_name is not None
    return merge_strategic(type_name, live, patch)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386: maps are merged, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def _operations(live: Json, operations: Any) -> Json:
    """RFC 6902. An operation that can't be done is 422 without a word why, as the real server answers it."""
    if not isinstance(operations, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > MAX_OPERATIONS:
        most = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise Refusal(413, failure(413, "RequestEntityTooLarge", most))
    try:
        result = jsonpatch.JsonPatch(operations).apply(live)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, LookupError, TypeError, ValueError):
        raise Refusal(422, failure(422, "Invalid", REJECTED, {})) from None
    if not isinstance(result, dict):
        raise bad_request("Object 'Kind' is missing in the patched object")
    return result


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"error decoding patch: {error}") from None


def _parsed_yaml(body: bytes) -> Any:
    try:
        return yaml.safe_load(body)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise bad_request(f"error decoding YAML: {error}") from None


def _mapping(value: Any) -> Json:
    if not isinstance(value, dict):
        raise bad_request("Invalid JSON Patch")
    return value
