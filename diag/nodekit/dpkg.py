"""Packages from dpkg's own file of their states, without starting dpkg."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name, word

STATUS = "/var/lib/dpkg/status"
MAX_STATUS = 16 * 1024 * 1024
MAX_PACKAGES = 10_000
HOLD, INSTALLED = "hold", ("ok", "installed")
NATIVE = "dpkg"  # whose own architecture is the native one
CONFFILE_OF_UNIT = "\n /etc/systemd/system/"


@dataclass
class Packages:
    """`installed` are versions by name (`NAME:ARCH` where the architecture is not the native one); `other` are state
    and version of packages that are not wholly installed; `held` are names; `units` are unit files in
    /etc/systemd/system that packages brought.
    """

    installed: dict[str, str] = field(default_factory=dict)
    other: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    units: frozenset[str] = frozenset()


def observe_packages(machine: Machine) -> Packages:
    """All packages, for checks; raises NotApplicable on a machine without dpkg, OSError, Unevaluated, ValueError."""
    text = read_status(machine)
    if text is not None:
        return parse_status(text)
    if machine.names("/var/lib"):
        raise NotApplicable("this system has no dpkg")
    raise FileNotFoundError(2, "No such file or directory", STATUS)


def read_status(machine: Machine) -> str | None:
    """The text of the file, None on a machine without dpkg; raises OSError, and Unevaluated when it is too long."""
    if not machine.exists(STATUS):
        return None
    content = machine.read_bytes(STATUS, MAX_STATUS)
    if len(content) == MAX_STATUS:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{STATUS} is longer than {MAX_STATUS} bytes")
    return content.decode("utf-8", "replace")


def parse_status(text: str) -> Packages:
    """Read all paragraphs; raises ValueError when one has no name or no state, or there are too many."""
    rows = [_row(paragraph) for paragraph in _paragraphs(text)]
    if not rows or len(rows) > MAX_PACKAGES:
        raise ValueError(f"{STATUS} tells of {len(rows)} packages")
    native = next((arch for package, arch, _, _ in rows if package == NATIVE), "")
    found = Packages(units=frozenset(_units(text)))
    for package, arch, state, version in rows:
        key = name(package if arch in (native, "all", "") else f"{package}:{arch}")
        want, *rest = state.split()
        if tuple(rest) == INSTALLED and want in ("install", HOLD):
            found.installed[key] = word(version) or "unknown"
        else:
            found.other[key] = (state, word(version))
        if want == HOLD:
            found.held.append(key)
    return found


def _paragraphs(text: str) -> Iterator[str]:
    """Each with a line break before its first line, one at a time: the file of a desktop has several MiB."""
    at = 0
    while at < len(text):
        end = text.find("\n\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].strip():
            yield f"\n{text[at:end]}"
        at = end + 2


def _row(paragraph: str) -> tuple[str, str, str, str]:
    package, state = _value(paragraph, "\nPackage: "), _value(paragraph, "\nStatus: ")
    if not package or len(state.split()) != 3:
        raise ValueError(f"{STATUS} has a paragraph without a package or its state: {paragraph.strip()[:60]!r}")
    return package, _value(paragraph, "\nArchitecture: "), state, _value(paragraph, "\nVersion: ")


def _value(paragraph: str, key: str) -> str:
    at = paragraph.find(key)
    if at < 0:
        return ""
    start = at + len(key)
    end = paragraph.find("\n", start)
    return (paragraph[start:] if end < 0 else paragraph[start:end]).strip()


def _units(text: str) -> Iterator[str]:
    """Files that packages keep in /etc are listed as `Conffiles`, a path and a digest on each line."""
    at = text.find(CONFFILE_OF_UNIT)
    while at >= 0:
        start = at + len(CONFFILE_OF_UNIT)
        yield text[start : text.find(" ", start)]
        at = text.find(CONFFILE_OF_UNIT, start)
