"""Read a YAML file of settings, strictly: every error names file, line and key, and all of them are told at once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sparkctl.app.file_values import lexical
from sparkctl.errors import UsageError
from sparkctl.inventory.problems import Problems, SourceFault, Where
from sparkctl.inventory.text_file import read_text
from sparkctl.inventory.yaml_nodes import Mapping, parse_yaml
from sparkctl.model.inventory import Problem
from sparkctl.model.vocabulary import Severity

Settings = TypeVar("Settings")


def settings_path(option: Path | None, named: str | None, fleet: Path | None, name: str) -> Path | None:
    """The file to read: an option, then what the environment has `named`, then `name` beside the inventory, if there.

    An option and a variable hold even where there is no such file: reading it tells so.
    """
    if option is not None:
        return lexical(option)
    if named:
        return lexical(Path(named))
    beside = lexical(fleet.parent / name) if fleet is not None else None
    return beside if beside is not None and os.path.lexists(beside) else None


def examined(
    path: Path, wanted: str, read: Callable[[Mapping, Problems], Settings | None]
) -> tuple[Settings | None, list[Problem]]:
    """What a file says, None where that is of no use, and everything that is wrong with it.

    `read` makes settings of its mapping and notes what is wrong; `wanted` says what that mapping should be.
    """
    problems = Problems()
    settings = None
    try:
        root = parse_yaml(read_text(path), str(path), problems)
        if not isinstance(root, Mapping):
            raise SourceFault(Where(str(path), 1), f"this must be a mapping {wanted}", "Begin with `version: 1`.")
        settings = read(root, problems)
    except SourceFault as fault:
        problems.fault(fault)
    return (None if problems.has_errors() else settings), problems.listed()


def usable(found: tuple[Settings | None, list[Problem]], command: str) -> Settings:
    """The settings of a file that was examined.

    Raises UsageError for the first error in it, and names the command that lists all of them.
    """
    settings, problems = found
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if settings is None or errors:
        more = f" `{command}` lists {len(errors) - 1:,} more." if len(errors) > 1 else ""
        raise UsageError(errors[0].sentence, hint=errors[0].action + more)
    return settings
