"""Cases in YAML: a base that all cases of a file share, and what each lays over it."""

from pathlib import Path
from typing import Any

import yaml


def load_cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a file, with the parts under `base` put below each of them."""
    # The loader in C, where there is one: pytest reads some hundred such files before its first test.
    content = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [case_over(content.get("base", {}), case) for case in content["cases"]]


def case_over(base: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """The case with the parts of `base` below it; null takes a file away, `absent: true` a command."""
    merged = {**base, **case}
    for key in ("files", "links", "facts"):
        merged[key] = {**base.get(key, {}), **case.get(key, {})}
        merged[key] = {path: value for path, value in merged[key].items() if value is not None}
    commands = {command["run"]: command for command in [*base.get("commands", []), *case.get("commands", [])]}
    merged["commands"] = [command for command in commands.values() if not command.get("absent")]
    return merged
