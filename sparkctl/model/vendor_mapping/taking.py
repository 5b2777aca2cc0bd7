"""Take what a document says into facets, and account for each of its fields."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from sparkctl.model.facets.fields import UnknownField, type_at
from sparkctl.model.facets.paths import ANY, Path, to_text
from sparkctl.model.printable import printable
from sparkctl.model.vendor import (
    DeviceId,
    ForkOutput,
    OrchestratorRecord,
    ScriptLine,
    ToolMeta,
    ToolOutput,
    VendorDocument,
    VendorError,
)
from sparkctl.model.vendor_mapping.catalogue import SCRIPTS, UNKNOWN, Tool, tool_named
from sparkctl.model.vendor_mapping.claims import HOLDS_NOTHING, Claim, Left, Part, Said, clean
from sparkctl.model.vendor_mapping.outline import TEXT, Outline, Place, Seen, fields_of, left, place_text
from sparkctl.model.vendor_mapping.scripts import script_of

ENVELOPE = left("of the envelope, not of the machine")
NOT_SETTLED = left("nobody tells where it comes from; it serves to find the node")


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the fields at one place: `fields` of ours, or a `reason`; neither: nobody knows them."""

    source: str
    fields: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(slots=True)
class Taken:
    """Facets as far as a document tells them, and how many of its fields had which fate."""

    facets: dict[str, dict[str, Any]] = field(default_factory=dict)
    fates: dict[Fate, int] = field(default_factory=dict)


def tool_of(document: VendorDocument, content: Mapping[str, Any]) -> tuple[str | None, Tool]:
    """The tool that wrote a document and what is known of it."""
    if isinstance(document, ScriptLine):
        script = script_of(content)
        return script, SCRIPTS[script] if script else UNKNOWN
    name = document.meta.tool if isinstance(document, ToolOutput) else document.tool
    return name, UNKNOWN if isinstance(document, OrchestratorRecord) else tool_named(name)


def take(document: VendorDocument, content: dict[str, Any]) -> Taken:
    """Account for every field of a document; `content` is its JSON. Raises WrongType."""
    _, tool = tool_of(document, content)
    seen = [*fields_of(_outline(document, tool), content, (), "")]
    seen += _of_errors(content)
    settled, left_out = _settle([*_said(document, content, tool)])
    return Taken(_facets(settled), _fates(seen, settled, left_out))


def _outline(document: VendorDocument, tool: Tool) -> Outline:
    """The outline of the whole document."""
    if isinstance(document, ScriptLine):
        common = dict.fromkeys(ScriptLine.model_fields, ENVELOPE)
        return {**common, **tool.outline} if isinstance(tool.outline, Mapping) else common
    envelope: dict[str, Outline] = dict.fromkeys(type(document).model_fields, ENVELOPE)
    if isinstance(document, ToolOutput):
        return {**envelope, "data": tool.outline, "meta": dict.fromkeys(ToolMeta.model_fields, ENVELOPE)}
    if isinstance(document, ForkOutput):
        device = {**dict.fromkeys(DeviceId.model_fields, NOT_SETTLED), "hostname": TEXT}
        return {**envelope, "data": tool.outline, "device_id": device}
    return envelope


def _of_errors(content: Mapping[str, Any]) -> Iterator[Seen]:
    """Fields of errors that errors do not have as far as we know."""
    errors = content.get("errors")
    for number, item in enumerate(errors if isinstance(errors, list) else ()):
        for key in item.keys() - VendorError.model_fields.keys() if isinstance(item, dict) else ():
            yield Seen(("errors", number, key), f"errors[].{key}", item[key], None)


def _said(document: VendorDocument, content: dict[str, Any], tool: Tool) -> Iterator[Said]:
    if isinstance(document, ScriptLine):
        yield from tool.mapping(Part(content))
    elif not isinstance(document, OrchestratorRecord):
        yield from tool.mapping(Part(content.get("data") or {}, ("data",)))
        yield from Part(content).part("device_id").take("hostname", ("identity", "hostname"))


def _settle(said: Sequence[Said]) -> tuple[list[Claim], dict[Place, str]]:
    """The claims that hold: the first of each field, and only what the facet's own model allows there.

    A field of the document that contradicts an earlier one is not taken at all.
    """
    first: dict[Path, Claim] = {}
    left_out = {one.source: one.reason for one in said if isinstance(one, Left)}
    claims = []
    for claim in said:
        if not isinstance(claim, Claim):
            continue
        known = first.setdefault(claim.field, claim)
        if known.value == claim.value:
            claims.append(claim)
        else:
            left_out[claim.source] = f"{place_text(known.source)} says otherwise of {to_text(claim.field)}"
    claims = [claim for claim in claims if claim.source not in left_out]
    for facet in dict.fromkeys(claim.field[0] for claim in claims):
        for depth in _DEPTHS:
            wrong = _misfits(facet, claims, depth)
            left_out |= wrong
            claims = [claim for claim in claims if claim.source not in wrong]
    return claims, left_out


# A model does not tell all that is wrong at once. After two looks, a document that still does not fit loses the whole
# field, and at last the facet.
_DEPTHS = (10, 10, 2, 1)


def _misfits(facet: str, claims: Sequence[Claim], depth: int) -> dict[Place, str]:
    """Fields of the document that a facet's model refuses, with why, and those beside them `depth` names down.

    That a document tells less than the model asks for is no fault.
    """
    below: dict[Path, list[Claim]] = {}
    for claim in claims:
        for length in range(1, len(claim.field) + 1) if claim.field[0] == facet else ():
            below.setdefault(claim.field[:length], []).append(claim)
    data = _facets(below.get((facet,), ())).get(facet, {})
    complaints = {path[:depth]: reason for path, reason in _complaints(facet, data, below).items()}
    return {claim.source: reason for path, reason in complaints.items() for claim in below[path]}


def _complaints(facet: str, data: Mapping[str, Any], known: Mapping[Path, Any]) -> dict[Path, str]:
    """What a facet's model has against data, by the nearest of the known fields."""
    found: dict[Path, str] = {}
    try:
        _model(facet).validate_json(json.dumps(data))
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            path: Path = (facet, *map(str, one["loc"]))
            while path and path not in known:
                path = path[:-1]
            if one["type"] != "missing" and path:
                found[path] = f"it does not fit {to_text(pattern_of(path))}: {one['msg']}"
    return found


@cache
def _model(facet: str) -> TypeAdapter[BaseModel]:
    return TypeAdapter(type_at((facet,)))


def _facets(claims: Sequence[Claim]) -> dict[str, dict[str, Any]]:
    facets: dict[str, dict[str, Any]] = {}
    for claim in claims:
        here: dict[str, Any] = facets
        for name in claim.field[:-1]:
            here = here.setdefault(name, {})
        here[claim.field[-1]] = claim.value
    return facets


def _fates(seen: Sequence[Seen], claims: Sequence[Claim], left_out: Mapping[Place, str]) -> dict[Fate, int]:
    """Every field once, those of one place and one fate together."""
    ours: dict[Place, list[str]] = {}
    for claim in claims:
        ours.setdefault(claim.source, []).append(to_text(pattern_of(claim.field)))
    fates: dict[Fate, int] = {}
    for one in seen:
        pattern = printable(one.pattern.removeprefix("."), 1000)
        if one.reason is None:
            fate = Fate(pattern)
        elif fields := ours.get(one.place):
            fate = Fate(pattern, tuple(dict.fromkeys(fields)))
        else:
            fate = Fate(pattern, reason=_why(one, left_out))
        fates[fate] = fates.get(fate, 0) + 1
    return fates


def _why(seen: Seen, left_out: Mapping[Place, str]) -> str:
    for length in range(len(seen.place), 0, -1):
        if (reason := left_out.get(seen.place[:length])) is not None:
            return printable(reason, 400)
    empty = seen.value in (None, {}, []) or (isinstance(seen.value, str) and clean(seen.value) is None)
    return HOLDS_NOTHING if empty else seen.reason or ""


def pattern_of(path: Path) -> Path:
    """The path of a facet's field with `*` for the names of things."""
    pattern: list[str] = [path[0]]
    for name in path[1:]:
        pattern.append(ANY if _is_by_name(tuple(pattern)) else name)
    return tuple(pattern)


@cache
def _is_by_name(pattern: Path) -> bool:
    """Whether a field is a map whose keys are names of things."""
    try:
        type_at((*pattern, ANY))
    except UnknownField:
        return False
    return True
