"""Read what only people know of a sanitisation: whose machine it was, who did and checked it, what was destroyed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches, one_of
from sparkctl.app.settings_file import examined
from sparkctl.errors import UsageError
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.yaml_nodes import Mapping, Sequence
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.inventory import Problem
from sparkctl.model.printable import printable
from sparkctl.model.sanitisation import Destruction, DestructionTechnique, Drive, Person

ROLES = ("performed", "verified", "validated")
_TOP = (
    "version", "property_number", "machine_model", "source", "classification", "classification_after", "backup",
    "destination", "identity_checked", "tpm", "people", "drives", "destroyed",
)  # fmt: skip
_PERSON = ("name", "title", "organisation", "location", "contact", "at")
_DRIVE = ("serial", "model", "device", "manufacturer")
_DESTROYED = ("serial", "technique", "tool", "largest_mm", "performed", "witnessed")
_WORD = 120
_MOST = 32


@dataclass(frozen=True, slots=True)
class Named:
    """A person, but for the moment, which may be left to the journal."""

    name: str
    title: str
    organisation: str | None
    location: str
    contact: str
    at: datetime | None

    def at_moment(self, moment: datetime) -> Person:
        """The person, at the moment that was written, or else at this one."""
        return Person(
            name=self.name,
            title=self.title,
            organisation=self.organisation,
            location=self.location,
            contact=self.contact,
            at=self.at or moment,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The file. `drives` are those that no document tells of; `no_tpm` says that the machine has none."""

    file: Path
    property_number: str | None
    machine_model: str | None
    source: str
    classification: str
    classification_after: str
    backup: str
    destination: str
    identity_checked: str
    no_tpm: bool
    people: dict[str, Named]
    drives: list[Drive] = field(default_factory=list)
    destroyed: list[Destruction] = field(default_factory=list)


def read_details(path: Path) -> Details:
    """What the file says; raises UsageError that names everything that is wrong with it."""
    details, problems = examine_details(path)
    if details is None:
        first, *more = problems
        words = "; ".join([first.sentence, *(one.sentence for one in more[:20])])
        raise UsageError(words, hint=first.action)
    return details


def examine_details(path: Path) -> tuple[Details | None, list[Problem]]:
    """What the file says, None where that is of no use, and everything that is wrong with it."""
    file = lexical(path)
    return examined(file, "of details", lambda root, problems: _Reader(file, root, problems).read())


class _Reader:
    def __init__(self, path: Path, root: Mapping, problems: Problems) -> None:
        self._path, self._root, self._problems = path, root, problems
        self._top = Fields(root, "", path, problems, _TOP)

    def read(self) -> Details | None:
        """The details; None when something is wrong."""
        top = self._top
        top.text("version", matches("1", "must be 1"), required="Write `version: 1`.")
        source = top.text("source", _word, required="Say whose machine it was, or where it stood.")
        before = top.text("classification", _word, required="Say how what stood on it was classified.")
        after = top.text("classification_after", _word, required="Say how it is classified afterwards, as `none`.")
        backup = top.text("backup", _text, required="Say whether data were kept, and where.")
        destination = top.text("destination", _text, required="Say where the media go.")
        checked = top.text("identity_checked", _text, required="Say what its serial was held against.")
        tpm = top.text("tpm", one_of(("absent",)))
        people = self._people()
        drives, destroyed = list(self._drives()), list(self._destroyed())
        if self._problems.has_errors():
            return None
        return Details(
            file=self._path,
            property_number=top.text("property_number", _word),
            machine_model=top.text("machine_model", _word),
            source=source or "",
            classification=before or "",
            classification_after=after or "",
            backup=backup or "",
            destination=destination or "",
            identity_checked=checked or "",
            no_tpm=tpm is not None,
            people=people,
            drives=drives,
            destroyed=destroyed,
        )

    def _people(self) -> dict[str, Named]:
        if not self._top.has("people"):
            self._top.wrong(None, "`people` is missing", f"Write who {', '.join(ROLES)} it, under `people:`.")
            return {}
        people = self._top.under("people", ROLES)
        found: dict[str, Named] = {}
        for role in ROLES:
            if not people.has(role):
                people.wrong(None, f"`{role}` is missing", "Write name, title, location and contact under it.")
            elif (one := _person(people.under(role, _PERSON), timed=False)) is not None:
                found[role] = one
        return found

    def _drives(self) -> Iterator[Drive]:
        for fields in self._listed("drives", _DRIVE):
            serial = fields.text("serial", _word, required="Write the serial number of the drive.")
            model = fields.text("model", _word, required="Write the model of the drive.")
            device = fields.text("device", _word, required="Write where it was, as nvme0n1.")
            if serial and model and device:
                manufacturer = fields.text("manufacturer", _word)
                yield Drive(device=device, model=model, serial=serial, manufacturer=manufacturer)

    def _destroyed(self) -> Iterator[Destruction]:
        words = tuple(one.value for one in DestructionTechnique)
        for fields in self._listed("destroyed", _DESTROYED):
            serial = fields.text("serial", _word, required="Write the serial number of what was destroyed.")
            technique = fields.text("technique", one_of(words), required=f"Write one of {', '.join(words)}.")
            tool = fields.text("tool", _word, required="Write what it was destroyed with.")
            largest = fields.text("largest_mm", _millimetres)
            by, seen = (self._destroyer(fields, role) for role in ("performed", "witnessed"))
            if serial and technique and tool and by and seen:
                yield Destruction(
                    serial=serial, technique=DestructionTechnique(technique), tool=tool, largest_mm=largest,
                    performed_by=by, witnessed_by=seen,
                )  # fmt: skip

    @staticmethod
    def _destroyer(fields: Fields, role: str) -> Person | None:
        if not fields.has(role):
            fields.wrong(None, f"`{role}` is missing", "Write name, title, location, contact and at under it.")
            return None
        one = _person(fields.under(role, _PERSON), timed=True)
        return one.at_moment(one.at) if one is not None and one.at is not None else None

    def _listed(self, key: str, known: tuple[str, ...]) -> Iterator[Fields]:
        if not self._top.has(key):
            return
        line, node = self._root.entries[key]
        if not isinstance(node, Sequence) or not 1 <= len(node.items) <= _MOST:
            self._top.wrong(key, f"this must be a list of 1 to {_MOST}", f"Write `- serial: ...` under `{key}:`.")
            return
        for number, item in enumerate(node.items, 1):
            place = f"{key}.{number}"
            if isinstance(item, Mapping):
                yield Fields(item, place, self._path, self._problems, known)
            else:
                where = Where(str(self._path), item.line or line, place)
                self._problems.error(where, "this must be a mapping", "Write `serial:` and what else is known.")


def _person(fields: Fields, *, timed: bool) -> Named | None:
    name, title, location, contact = (
        fields.text(key, _word, required=f"Write the {key}: SP 800-88r2, section 4.6, asks for it.")
        for key in ("name", "title", "location", "contact")
    )
    at = fields.text("at", _moment, required="Say when." if timed else None)
    if not name or not title or not location or not contact:
        return None
    return Named(name, title, fields.text("organisation", _word), location, contact, at)


def _word(text: str) -> str:
    return _line(text, _WORD)


def _text(text: str) -> str:
    return _line(text, MAX_TEXT)


def _line(text: str, most: int) -> str:
    if not text.strip() or len(text) > most or printable(text, most) != text:
        raise ValueError(f"must be one printable line of 1 to {most:,} characters")
    return text


def _moment(text: str) -> datetime:
    words = "must be a time with its zone, such as 2026-06-01T09:00Z"
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(words) from error
    raise ValueError(words)


def _millimetres(text: str) -> float:
    words = "must be a size in mm, more than 0 and at most 1000"
    try:
        size = float(text)
    except ValueError as error:
        raise ValueError(words) from error
    if not math.isfinite(size) or not 0 < size <= 1000:
        raise ValueError(words)
    return size
