"""The voices: each turns a Diagnosis into text, all of them into the same answer."""

from collections.abc import Callable, Mapping

from ..model.diagnosis import Diagnosis
from . import json, terminal
from .look import Look

Format = Callable[[Diagnosis, Look], str]
"""Text ready to be written, its last line end included. Formats for machines look the same everywhere."""

FORMATS: Mapping[str, Format] = {"terminal": terminal.render, "json": json.render}

__all__ = ["FORMATS", "Format", "Look"]
