"""Baselines as files that an operator can read, edit, compare and keep in git."""

import errno
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from sparkctl import __version__
from sparkctl.app.signing import sign, signature_of
from sparkctl.atomic_file import replace_file
from sparkctl.errors import UsageError
from sparkctl.inventory.problems import Problems, SourceFault, unknown_key_action
from sparkctl.inventory.yaml_nodes import Mapping, Scalar, Sequence, YamlNode, parse_yaml
from sparkctl.model.baseline import Baseline
from sparkctl.model.facets import paths
from sparkctl.model.facets.fields import UnknownField, from_text, is_map, type_at
from sparkctl.model.printable import printable

SCHEMA = "sparkctl.baseline/1"
NAMESPACE = "sparkctl.baseline"
"""What a signature is for: one made for anything else does not hold here."""

BASELINE_NAME = "baseline.yaml"
MAX_BYTES = 16 * 1024 * 1024
_KEYS = ("schema", "made_at", "made_from", "facets", "ignore")


@dataclass(frozen=True, slots=True)
class BaselineFile:
    """A baseline and the bytes that it was read from."""

    baseline: Baseline
    content: bytes


def baseline_text(baseline: Baseline) -> str:
    """A baseline as it stands in its file."""
    body = baseline.model_dump(mode="json", by_alias=True)
    head = f"# Made by sparkctl {__version__}; hold nodes against it with: sparkctl drift --baseline FILE\n"
    return head + yaml.safe_dump(body, allow_unicode=True, sort_keys=False, default_flow_style=False, width=120)


def write_baseline(baseline: Baseline, path: Path, key: Path | None) -> Path | None:
    """Write a baseline and sign it where a key is given, whole or not at all; the signature. Raises UsageError."""
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        fresh = Path(scratch) / path.name
        fresh.write_text(baseline_text(baseline), "utf-8")
        signature = sign(fresh, key, NAMESPACE).read_bytes() if key else None
        try:
            signature_of(path).unlink(missing_ok=True)  # an old one would speak for another text
            _replace(path, fresh.read_bytes())
            if signature is not None:
                _replace(signature_of(path), signature)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}", hint="name another file") from error
    return signature_of(path) if key else None


def _replace(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file")
    replace_file(path, content, 0o600)


def read_baseline(path: Path) -> BaselineFile:
    """Read a baseline; raises UsageError that names file, line and key."""
    try:
        if not path.is_file():
            raise UsageError(
                f"there is no baseline {path}",
                hint="make one with `sparkctl baseline set`, or name another with --baseline",
            )
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES // 2**20} MiB")
    return BaselineFile(_Reader(path).read(content), content)


def _texts(node: Sequence) -> list[str]:
    """The plain values of a list; raises TypeError when it holds anything else."""
    texts = [item.text for item in node.items if isinstance(item, Scalar)]
    if len(texts) != len(node.items):
        raise TypeError("a list in here holds plain values only")
    return texts


class _Reader:
    """Reads one file; every complaint says where."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, content: bytes) -> Baseline:
        problems = Problems()
        try:
            root = parse_yaml(content.decode("utf-8"), str(self._path), problems)
        except UnicodeDecodeError as error:
            raise UsageError(f"{self._path}: byte {error.start} is not UTF-8") from error
        except SourceFault as fault:
            raise self._wrong(fault.where.line or 1, "", fault.message, fault.action) from fault
        for problem in problems.listed():
            raise self._wrong(problem.line or 1, problem.key or "", problem.message, problem.action)
        if not isinstance(root, Mapping):
            raise self._wrong(1, "", "this is no baseline", "make one with `sparkctl baseline set`")
        known = {key: value for key, line, value in root.items() if self._known(key, line)}
        if not isinstance(schema := known.get("schema"), Scalar) or schema.text != SCHEMA:
            raise self._wrong(root.line, "schema", f"this is no baseline of the schema {SCHEMA}", "")
        facets, ignore = self._facets(known.get("facets"), root.line), self._ignore(known.get("ignore"))
        made_at, made_from = (self._text(known, key, root.line) for key in ("made_at", "made_from"))
        try:
            return Baseline(made_at=datetime.fromisoformat(made_at), made_from=made_from, facets=facets, ignore=ignore)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, first["loc"]))
            line = root.entries[key][0] if key in root.entries else root.line
            raise self._wrong(line, key, first["msg"], "") from error
        except ValueError as error:
            line = root.entries["made_at"][0]
            raise self._wrong(line, "made_at", str(error), "write a moment such as 2026-11-20T08:00:00Z") from error

    def _known(self, key: str, line: int) -> bool:
        if key not in _KEYS:
            raise self._wrong(line, key, f"the key {key} is not known", unknown_key_action(key, _KEYS))
        return True

    def _text(self, known: dict[str, YamlNode], key: str, line: int) -> str:
        node = known.get(key)
        if not isinstance(node, Scalar) or node.is_null:
            raise self._wrong(line, key, f"{key} is missing", "")
        return node.text

    def _facets(self, node: YamlNode | None, line: int) -> dict[str, dict[str, Any]]:
        if not isinstance(node, Mapping) or not node.entries:
            raise self._wrong(line, "facets", "no facet is expected to be anything", "name at least one facet")
        return {name: self._map((name,), value, at) for name, at, value in node.items()}

    def _map(self, path: paths.Path, node: YamlNode, line: int) -> dict[str, Any]:
        self._type(path, line)
        if not isinstance(node, Mapping):
            raise self._wrong(line, paths.to_text(path), "this holds fields, not one value", "")
        return {name: self._value((*path, name), value, at) for name, at, value in node.items()}

    def _value(self, path: paths.Path, node: YamlNode, line: int) -> Any:
        kind = self._type(path, line)
        if is_map(kind):
            return self._map(path, node, line)
        key = paths.to_text(path)
        if isinstance(node, Scalar) and node.is_null:
            return None
        if isinstance(node, Mapping):
            raise self._wrong(line, key, "this is a value, it holds no fields", "")
        try:
            return from_text(kind, node.text if isinstance(node, Scalar) else _texts(node))
        except ValidationError as error:
            raise self._wrong(line, key, error.errors(include_url=False)[0]["msg"], "") from error
        except TypeError as error:
            raise self._wrong(line, key, str(error), "compare with a file that is made new") from error

    def _type(self, path: paths.Path, line: int) -> Any:
        try:
            return type_at(path)
        except UnknownField as error:
            action = unknown_key_action(error.name, error.known) if error.known else ""
            raise self._wrong(line, paths.to_text(path), str(error), action) from error

    def _ignore(self, node: YamlNode | None) -> list[str]:
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return []
        if not isinstance(node, Sequence):
            raise self._wrong(node.line, "ignore", "this is a list of fields", "write each on a line with a hyphen")
        return [self._pattern(item) for item in node.items]

    def _pattern(self, node: YamlNode) -> str:
        if not isinstance(node, Scalar):
            raise self._wrong(node.line, "ignore", "this is no field", "")
        try:
            path = paths.from_text(node.text)
        except ValueError as error:
            raise self._wrong(node.line, "ignore", str(error), "") from error
        self._type(path, node.line)
        return node.text

    def _wrong(self, line: int, key: str, what: str, action: str) -> UsageError:
        where = f"{self._path}:{line}" + (f": {printable(key, 400)}" if key else "")
        return UsageError(f"{where}: {printable(what, 400)}", hint=printable(action, 400) or None)
