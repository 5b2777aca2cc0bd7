"""The OTA recipes that DGX OS keeps for its own checker: one JSON file for each release.

The package nvidia-spark-ota-check puts them into /opt/nvidia/spark-ota-check/metadata as `spark-ota-RELEASE.json`, for
everybody to read. As published from version 1.0.16-1 (2026), a file is an object with `metadata` (`name`,
`external_name`, `releaseDate`, `required_match`) and four lists of objects with `name` and `version`: `package`,
`software` (kernel and driver), `firmware` and `connectx`. The checker itself is never run: it updates itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name, word

METADATA = "/opt/nvidia/spark-ota-check/metadata"
FILE = re.compile(r"spark-ota-(.{1,80})\.json")
PARTS = {"packages": "package", "software": "software", "firmware": "firmware", "connectx": "connectx"}
MAX_RECIPES = 40
MAX_BYTES = 256 * 1024
MAX_WANTED = 600  # in one list of one recipe


@dataclass(frozen=True)
class Recipe:
    """One recipe. `wanted` holds versions by part and name; it is None where the file has another form than known."""

    sha256: str
    about: dict[str, Any] = field(default_factory=dict)
    wanted: dict[str, dict[str, str]] | None = None


def recipe_names(machine: Machine) -> list[str]:
    """The releases there are recipes for, as their files name them; raises OSError."""
    matches = (FILE.fullmatch(entry) for entry in machine.names(METADATA))
    return [match[1] for match in matches if match][:MAX_RECIPES]


def read_recipe(machine: Machine, release: str) -> Recipe:
    """One recipe; raises OSError, and Unevaluated when it is too long to be one."""
    content = machine.read_bytes(f"{METADATA}/spark-ota-{release}.json", MAX_BYTES)
    if len(content) == MAX_BYTES:
        raise Unevaluated(UnknownReason.PRECONDITION, f"the recipe of {release} is longer than {MAX_BYTES} bytes")
    return parse_recipe(content)


def parse_recipe(content: bytes) -> Recipe:
    """A recipe of any form; raises nothing."""
    digest = hashlib.sha256(content).hexdigest()
    try:
        document = json.loads(content)
        about, wanted = _about(document["metadata"]), {part: _wanted(document, key) for part, key in PARTS.items()}
    except (ValueError, LookupError, TypeError, RecursionError):
        return Recipe(digest)
    return Recipe(digest, about, wanted)


def by_component(recipes: dict[str, Recipe]) -> dict[str, dict[str, dict[str, list[str]]]]:
    """What all recipes want, each version once: part, component, version, and the releases that want it."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {part: {} for part in PARTS}
    for release, recipe in sorted(recipes.items()):
        for part, components in (recipe.wanted or {}).items():
            for component, version in components.items():
                found[part].setdefault(component, {}).setdefault(version, []).append(release)
    return found


def _about(metadata: dict[str, Any]) -> dict[str, Any]:
    texts = {"name": "name", "title": "external_name", "released": "releaseDate"}
    found: dict[str, Any] = {field: word(_text(metadata.get(key, ""))) for field, key in texts.items()}
    required = metadata.get("required_match") or []
    return {**found, "required": sorted({name(_text(one)) for one in required})[:100]}


def _wanted(document: dict[str, Any], key: str) -> dict[str, str]:
    entries = document.get(key, [])
    if len(entries) > MAX_WANTED:
        raise ValueError(f"the recipe wants {len(entries)} of {key}")
    return {name(_text(entry["name"])): word(_text(entry["version"])) or "unknown" for entry in entries}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
