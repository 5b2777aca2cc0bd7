"""Find out what kind of inventory a file is, read it, and follow its includes."""

import re
from pathlib import Path

from sparkctl.inventory.ansible_hosts import AnsibleInventory
from sparkctl.inventory.ansible_ini import read_ansible_ini
from sparkctl.inventory.ansible_vars_files import Files, add_vars_files
from sparkctl.inventory.ansible_yaml import is_ansible_yaml, read_ansible_yaml
from sparkctl.inventory.csv_file import looks_like_csv, read_csv
from sparkctl.inventory.draft import FleetDraft, Reference, Source
from sparkctl.inventory.fleet_file import read_fleet_file
from sparkctl.inventory.problems import Problems, SourceFault
from sparkctl.inventory.text_file import read_text
from sparkctl.inventory.yaml_nodes import Scalar, parse_yaml
from sparkctl.model.printable import printable

_YAML = frozenset({".yaml", ".yml", ".json"})
_CSV = frozenset({".csv", ".tsv"})
_INI = frozenset({".ini", ".cfg"})
_YAML_LINE = re.compile(r"---|\{|[^\s\[\]:#]+:(\s|$)")
_MAX_CHAIN = 20
_EMPTY_ACTION = "Describe at least one node in it."


def read_sources(path: Path, problems: Problems) -> tuple[FleetDraft, Files]:
    """Read an inventory and what it includes; what cannot be read is noted as a problem.

    Returns the draft of the fleet, and every file by the name its places carry.
    """
    reader = _SourcesReader(problems)
    reader.read(path, [])
    return reader.draft, reader.files


class _SourcesReader:
    def __init__(self, problems: Problems) -> None:
        self.draft = FleetDraft(problems)
        self.files: Files = {}
        self._read: set[Path] = set()
        self._problems = problems

    def read(self, path: Path, including: list[Path]) -> None:
        """Read one file; `including` is the chain of files that led to it."""
        source = Source(str(path), path.parent.absolute(), self._problems)
        self.files[source.file] = source
        self.draft.sources.append(printable(source.file, 1000))
        self._read.add(_resolved(path))
        try:
            includes = self._read_file(path, source)
        except SourceFault as fault:
            self._problems.fault(fault)
            return
        for include in includes:
            self._include(include, source, [*including, path])

    def _include(self, include: Reference, source: Source, chain: list[Path]) -> None:
        try:
            path = Path(source.file).parent / Path(include.text).expanduser()
        except RuntimeError:
            self._problems.error(
                include.where, f"the home folder of {printable(include.text)} is not known", "Write the path."
            )
            return
        resolved = _resolved(path)
        loop = [_resolved(one) for one in chain]
        if resolved in loop:
            names = " -> ".join(printable(one.name) for one in [*chain[loop.index(resolved) :], path])
            self._problems.error(include.where, f"the files include each other: {names}", "Remove one include.")
        elif resolved in self._read:
            self._problems.error(include.where, f"{printable(include.text)} is included twice", "Remove one include.")
        elif len(chain) > _MAX_CHAIN:
            message = f"more than {_MAX_CHAIN} files include one another"
            self._problems.error(include.where, message, "Include the files side by side.")
        else:
            self.read(path, chain)

    def _read_file(self, path: Path, source: Source) -> list[Reference]:
        text = read_text(path)
        if not text.strip():
            raise SourceFault(source.where(), "the file is empty", _EMPTY_ACTION)
        kind = _kind(path, text, source)
        if kind == "csv":
            read_csv(text, source, self.draft)
        elif kind == "ini":
            self._finish(read_ansible_ini(text, source))
        else:
            return self._yaml(text, source)
        return []

    def _yaml(self, text: str, source: Source) -> list[Reference]:
        root = parse_yaml(text, source.file, self._problems)
        if root is None or (isinstance(root, Scalar) and root.is_null):
            raise SourceFault(source.where(), "the file is empty", _EMPTY_ACTION)
        if is_ansible_yaml(root):
            self._finish(read_ansible_yaml(root, source))
            return []
        return read_fleet_file(root, source, self.draft)

    def _finish(self, inventory: AnsibleInventory) -> None:
        add_vars_files(inventory, self.files)
        inventory.finish(self.draft)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def _kind(path: Path, text: str, source: Source) -> str:
    suffix = path.suffix.lower()
    if text.startswith("#!"):
        action = "Save what it prints, in Ansible's YAML, and name that file."
        raise SourceFault(source.where(1), "this is a program, and sparkctl runs no inventory programs", action)
    for suffixes, kind in ((_YAML, "yaml"), (_CSV, "csv"), (_INI, "ini")):
        if suffix in suffixes:
            return kind
    return _kind_by_content(text)


def _kind_by_content(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith(("#", ";"))), "")
    if _YAML_LINE.match(first):
        return "yaml"
    return "csv" if looks_like_csv(first) else "ini"
