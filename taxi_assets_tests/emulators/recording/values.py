"""Whether a value is of the type, the format and the enumeration that a model gives it.

JSON as Google's APIs read it (https://protobuf.dev/programming-guides/json/): 64-bit integers may
be numbers or text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["problem_of_text", "problem_of_value"]

_INTEGER = re.compile(r"-?\d+")
_NUMBERS = {"NaN", "Infinity", "-Infinity"}


def problem_of_text(spec: Mapping[str, Any], text: str) -> str:
    """What is wrong with a parameter's text; empty if nothing is."""
    type_ = spec.get("type")
    if type_ == "boolean":
        # Google's own client writes "True".
        return "" if text.lower() in ("true", "false") else f"{text!r} is not a boolean"
    if type_ == "integer" or spec.get("format") in ("int64", "uint64"):
        return "" if _INTEGER.fullmatch(text) else f"{text!r} is not an integer"
    return _problem_of_string(spec, text)


def problem_of_value(spec: Mapping[str, Any], value: object) -> str:
    """What is wrong with a JSON value that is no object and no array, or should not be."""
    type_, format_ = spec.get("type"), spec.get("format")
    if type_ == "boolean":
        fits = isinstance(value, bool)
    elif type_ == "integer" or format_ in ("int64", "uint64"):
        fits = _is_integer(value)
    elif type_ == "number":
        fits = _is_number(value)
    elif type_ == "string":
        return (
            _problem_of_string(spec, value)
            if isinstance(value, str)
            else f"{value!r} is not a string"
        )
    else:
        fits = False
    return "" if fits else f"{value!r} is not of type {type_}"


def _is_integer(value: object) -> bool:
    if isinstance(value, str):
        return _INTEGER.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number or value in _NUMBERS


def _problem_of_string(spec: Mapping[str, Any], text: str) -> str:
    if "enum" in spec and text not in spec["enum"]:
        return f"{text!r} is not one of {', '.join(spec['enum'])}"
    if "pattern" in spec and not re.search(spec["pattern"], text):
        return f"{text!r} does not match {spec['pattern']}"
    if spec.get("format") == "byte":
        try:
            base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
        except binascii.Error:
            return f"{text!r} is not base64"
    return ""
