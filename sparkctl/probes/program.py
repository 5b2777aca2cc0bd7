"""Bundle an entry point of `diag/` and the modules it needs into one deterministic program text.

The text carries every module as source, without comments and docstrings, and imports them from memory, so that nothing
is written on the node. The same sources always give the same bytes, and the SHA-256 of the text names the program in
every document it produces.
"""

import ast
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sparkctl.errors import SparkctlError
from sparkctl.probes.needed import needed
from sparkctl.probes.slim import slim

MAX_PROGRAM_BYTES = 256 * 1024

_HEAD = '''\
"""{entry}, bundled by sparkctl; runs from memory and writes no file."""
import importlib.machinery
import sys

MODULES = {{
{modules}}}


class Bundle:
    """Imports the modules of this text."""

    def find_spec(self, name, path=None, target=None):
        if name not in MODULES:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin="<" + name + ">", is_package=MODULES[name][0])

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        code = compile(MODULES[module.__name__][1], "<" + module.__name__ + ">", "exec", dont_inherit=True)
        exec(code, module.__dict__)

    def get_source(self, name):
        return MODULES[name][1]

    def module_names(self, package):
        start = package + "."
        return [name[len(start):] for name in MODULES if name.startswith(start) and "." not in name[len(start):]]


sys.dont_write_bytecode = True
sys.meta_path.insert(0, Bundle())
from diag.{entry} import main

sys.exit(main(sys.argv[1:]))
'''


ENTRIES = {
    "health": "spark_diagctl",
    "collect": "spark_diagctl",
    "bundle": "spark_diagctl",
    "reset-reason": "reset_reason_reporter",
    "control": "spark_controlctl",
}
"""The entry point in `diag/` of each command that asks something of nodes."""

COMMANDS = {
    "health": ("health", "checks"),
    "collect": ("collect", "facets"),
    "bundle": ("bundle", "artefacts"),
    "control": ("control", "controllers"),
}
"""The sub-commands that travel together, where an entry point has any: one that works, and one that lists what with."""


@dataclass(frozen=True)
class Program:
    """One program text for the nodes.

    `checks` maps the ids that its health command answers for to whether each is required, `facets` names those that
    its collect command knows.
    """

    entry: str
    text: bytes
    checks: Mapping[str, bool] = field(default_factory=dict)
    facets: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """The digest that names this program."""
        return hashlib.sha256(self.text).hexdigest()

    @cached_property
    def packed(self) -> bytes:
        """The text as it travels. Its bytes depend on the zlib at hand, which is why the digest is that of the text."""
        return zlib.compress(self.text, 9)


def bundle(diag: Path, command: str = "health") -> Program:
    """Bundle the entry point of one of ENTRIES with all that it needs; raises SparkctlError over its limit of bytes."""
    entry = ENTRIES[command]
    roots = [f"diag.{entry}", *(f"diag.commands.{name}" for name in COMMANDS.get(command, ()))]
    sources = needed(diag, roots)
    modules = "".join(
        f"    {name!a}: ({path.name == '__init__.py'}, {slim(path.read_text('utf-8'))!a}),\n"
        for name, path in sources.items()
    )
    text = _HEAD.format(entry=entry, modules=modules).encode("utf-8")
    checks = {check_id(name): _is_required(sources[f"diag.checks.{name}"]) for name in _members(sources, "diag.checks")}
    program = Program(entry, text, checks, _members(sources, "diag.facets"))
    if len(program.packed) > MAX_PROGRAM_BYTES:
        raise SparkctlError(
            f"the program {entry} has {len(program.packed)} packed bytes, more than the {MAX_PROGRAM_BYTES} allowed"
        )
    return program


def _members(sources: Mapping[str, Path], package: str) -> tuple[str, ...]:
    return tuple(name.rpartition(".")[2] for name in sources if name.rpartition(".")[0] == package)


def _is_required(path: Path) -> bool:
    """Whether a check file says `CHECK = Check(..., required=True)`; its source is read, never imported."""
    for statement in ast.parse(path.read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "CHECK":
            call = statement.value
            keywords = call.keywords if isinstance(call, ast.Call) else []
            return any(word.arg == "required" and ast.unparse(word.value) == "True" for word in keywords)
    raise SparkctlError(f"{path} declares no CHECK")


def check_id(module_name: str) -> str:
    """The id of the check in a module, as `diag/nodekit/check.py` defines it: `disk_space` is `disk.space`."""
    return module_name.replace("_", ".", 1)
