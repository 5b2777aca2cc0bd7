"""Ansible's `group_vars` and `host_vars` folders beside an inventory."""

from pathlib import Path

from sparkctl.inventory.ansible_hosts import AnsibleInventory
from sparkctl.inventory.ansible_variables import VAULT_HEADER, variable_node
from sparkctl.inventory.draft import Settings, Source
from sparkctl.inventory.problems import Problems, SourceFault, Where
from sparkctl.inventory.text_file import read_text
from sparkctl.inventory.yaml_nodes import Mapping, Scalar, parse_yaml

_ENDINGS = ("", ".yml", ".yaml", ".json")
"""In the order in which Ansible looks; the first that exists is taken."""

Files = dict[str, Source]
"""Every source by the name its places carry."""


def add_vars_files(inventory: AnsibleInventory, files: Files) -> None:
    """Give the groups and hosts of an inventory the variables that its folders hold for them."""
    folder = Path(inventory.source.file).parent
    reader = _VarsReader(inventory.source.problems, files)
    groups = reader.listing(folder / "group_vars")
    for name, group in inventory.groups.items():
        group.late.update(reader.read(groups, name))
    hosts = reader.listing(folder / "host_vars")
    for name, host in inventory.hosts.items() if hosts else ():
        host.late.update(reader.read(hosts, name))


class _VarsReader:
    def __init__(self, problems: Problems, files: Files) -> None:
        self._problems = problems
        self._files = files

    def listing(self, folder: Path) -> dict[str, Path]:
        """The entries of a folder by name, none when there is no folder; names of an inventory never become paths."""
        try:
            return {entry.name: entry for entry in folder.iterdir()}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            message = f"the folder cannot be read: {error.strerror}"
            self._problems.error(Where(str(folder)), message, "Give yourself the right to read it.")
            return {}

    def read(self, listing: dict[str, Path], name: str) -> Settings:
        found = next((listing[name + ending] for ending in _ENDINGS if name + ending in listing), None)
        settings: Settings = {}
        for path in _files_of(found) if found else ():
            try:
                settings |= self._file(path)
            except SourceFault as fault:
                self._problems.fault(fault)
        return settings

    def _file(self, path: Path) -> Settings:
        source = Source(str(path), path.parent.absolute(), self._problems)
        self._files[source.file] = source
        text = read_text(path)
        if text.startswith(VAULT_HEADER):
            action = "Keep connection variables in a plain file."
            self._problems.warning(
                Where(source.file), "the file is encrypted with Ansible Vault and was not read", action
            )
            return {}
        root = parse_yaml(text, source.file, self._problems)
        if root is None or (isinstance(root, Scalar) and root.is_null):
            return {}
        if not isinstance(root, Mapping):
            raise SourceFault(
                source.where(root.line), "a file of variables must be a mapping", "Write `key: value` lines."
            )
        settings: Settings = {}
        for key, line, value in root.items():
            settings |= variable_node(key, value, source.where(line, key), source)
        return settings


def _files_of(path: Path) -> list[Path]:
    """The file itself, or every YAML file of the folder and the folders in it, sorted; hidden and backup files not."""
    if not path.is_dir():
        return [path]
    inside = (entry for entry in path.rglob("*") if entry.is_file() and entry.suffix in _ENDINGS)
    return sorted(entry for entry in inside if not entry.name.startswith(".") and not entry.name.endswith("~"))
