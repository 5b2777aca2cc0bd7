"""The file in which a far side says whom it trusts, how many of them it wants, and what scans what comes in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches, number, seconds
from sparkctl.app.settings_file import examined, usable
from sparkctl.inventory.problems import Problems
from sparkctl.inventory.yaml_nodes import Mapping
from sparkctl.model.inventory import Problem
from sparkctl.model.transfer import MAX_SIGNERS

FOLDER = "{folder}"
"""The argument of a scan that stands for the folder in quarantine."""

_TOP = ("version", "allowed_signers", "signatures", "streams", "scan")
_SCAN = ("command", "timeout")
_TIMEOUT_S = 4 * 3600
_EXAMPLE = "Write `command: [clamscan, --recursive, '{folder}']`."


@dataclass(frozen=True, slots=True)
class Scan:
    """A command, one of whose arguments is `{folder}`, and how long it may take in seconds."""

    command: tuple[str, ...]
    timeout: int


@dataclass(frozen=True, slots=True)
class TransferSite:
    """The rules of a far side; `streams` is empty where every stream is taken."""

    allowed_signers: Path
    signatures: int
    streams: tuple[str, ...]
    scan: Scan | None


def transfer_site(path: Path) -> TransferSite:
    """The rules in a file; raises UsageError for the first error in it, with file, line and key."""
    return usable(examine(path), f"sparkctl airgap check {path}")


def examine(path: Path) -> tuple[TransferSite | None, list[Problem]]:
    """The rules in a file, None where it cannot be used, and everything that is wrong with it."""

    def read(root: Mapping, problems: Problems) -> TransferSite | None:
        return _read(Fields(root, "", path, problems, _TOP), path, problems)

    return examined(path, "of rules for transfer bundles", read)


def _read(fields: Fields, path: Path, problems: Problems) -> TransferSite | None:
    fields.text("version", number(1, 1), required="Begin with `version: 1`.")
    required = "Name a file of allowed signers, as ssh-keygen has it."
    signers = fields.text("allowed_signers", _file_beside(path), required=required)
    scan = _scan(fields) if fields.has("scan") else None
    signatures = fields.text("signatures", number(1, MAX_SIGNERS)) or 1
    streams = fields.texts("streams", matches(r"[a-z0-9][a-z0-9-]{0,39}", "must be the name of a stream"))
    if fields.has("streams") and not streams:
        fields.wrong("streams", "no stream is named", "Name those that are taken, or leave it out for every stream.")
    if problems.has_errors() or signers is None:
        return None
    return TransferSite(signers, signatures, tuple(streams), scan)


def _scan(fields: Fields) -> Scan | None:
    scan = fields.under("scan", _SCAN)
    command = scan.texts("command", _argument)
    if not command:
        scan.wrong("command", "`command` is missing", _EXAMPLE)
    elif FOLDER not in command[1:]:
        scan.wrong("command", f"no argument is `{FOLDER}`, so that it would not scan what came in", _EXAMPLE)
    timeout = scan.text("timeout", seconds) or _TIMEOUT_S
    return Scan(tuple(command), timeout)


def _file_beside(rules: Path) -> Callable[[str], Path]:
    def convert(text: str) -> Path:
        found = lexical(rules.parent / text)
        if not found.is_file():
            raise ValueError("must be a file that is there")
        return found

    return convert


def _argument(text: str) -> str:
    return matches(r"[^\x00-\x1f\x7f]{1,1000}", "must be one printable line")(text)
