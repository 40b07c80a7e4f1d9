"""Paths and parsers of the shipped files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCS = ROOT / "docs"


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that is a mapping."""
    loaded = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """A Dockerfile's instructions in order: keyword, and arguments with their lines joined."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    pairs = [line.strip().split(None, 1) for line in lines if line.strip()]
    return [(keyword.upper(), arguments) for keyword, arguments in pairs]


def fenced(page: Path, language: str) -> list[str]:
    """The code blocks of that language in a Markdown page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.M)
