"""What both kinds of CycloneDX document have in common: their head, their form, and how a component names itself."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sparkctl import __version__
from sparkctl.export.fields import Field, Section, constant, nested
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.part import Part
from sparkctl.export.subject import Subject, iso

SPEC_VERSION = "1.6"


def properties(known: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the format has no field for, by names of our own; what is not known is not there."""
    return [
        {"name": f"sparkctl:{name}", "value": str(value).lower() if isinstance(value, bool) else str(value)}
        for name, value in known.items()
        if value is not None
    ]


def seen_at(subject: Subject, facets: tuple[str, ...]) -> datetime | None:
    """When the newest of the facets that a document is made of was seen last."""
    return max(
        (subject.standing.facets[facet].seen for facet in facets if facet in subject.standing.facets), default=None
    )


def _node_properties(subject: Subject, facets: tuple[str, ...]) -> list[dict[str, str]]:
    known = {
        "key_source": subject.key.source,
        "simulated": subject.simulated,
        **{
            f"{facet}.seen": iso(subject.standing.facets[facet].seen)
            for facet in facets
            if facet in subject.standing.facets
        },
    }
    gaps = [gap for gap in subject.gaps if gap.partition(".")[0].partition("=")[0] in facets]
    missing = [facet for facet in facets if facet not in subject.standing.facets]
    found = properties(known)
    found += [{"name": "sparkctl:gap", "value": gap} for gap in gaps]
    return found + [{"name": "sparkctl:not_known", "value": facet} for facet in missing]


def _head_fields(kind: str, facets: tuple[str, ...]) -> tuple[Field[Subject], ...]:
    """The head of a document about the node, made from some facets."""

    def number(subject: Subject) -> str:
        return f"urn:uuid:{subject.key.id_of(kind, iso(seen_at(subject, facets)) or '')}"

    def lifecycle(subject: Subject) -> list[dict[str, str]]:
        return [{"phase": "operations"}] if seen_at(subject, facets) else [{"phase": "discovery"}]

    names = ", ".join(facets)
    return (
        constant("bomFormat", "CycloneDX"),
        constant("specVersion", SPEC_VERSION),
        Field("serialNumber", "(key), (facets) seen", number, "the same for the same facts"),
        constant("version", 1),
        Field(
            "metadata.timestamp", "(facets) seen", lambda s: iso(seen_at(s, facets) or s.at),
            "when it was so: else the export",
        ),
        Field("metadata.lifecycles", "(facets)", lifecycle, "`discovery` while nothing is known"),
        constant(
            "metadata.tools.components", [{"type": "application", "name": "sparkctl", "version": __version__}],
            "sparkctl",
        ),
        constant("metadata.component.type", "device"),
        Field("metadata.component.bom-ref", "(key)", lambda s: f"node:{s.uuid}"),
        Field(
            "metadata.component.name", "identity.smbios.product_name",
            lambda s: s.fact("identity.smbios.product_name") or s.name,
            "else the name in the inventory",
        ),
        Field(
            "metadata.component.version",
            "identity.smbios.product_version", lambda s: s.fact("identity.smbios.product_version"),
        ),
        Field(
            "metadata.component.manufacturer.name",
            "identity.smbios.sys_vendor", lambda s: s.fact("identity.smbios.sys_vendor"),
        ),
        Field(
            "metadata.component.properties", f"(key), {names}", lambda s: _properties(s, facets),
            "with gaps (`sparkctl:gap`) and facets of which nothing is known (`sparkctl:not_known`)",
        ),
    )  # fmt: skip


def _properties(subject: Subject, facets: tuple[str, ...]) -> list[dict[str, str]]:
    named = properties({"node": subject.name, "uuid": subject.uuid, "key": subject.key.value, "serial": subject.serial})
    return named + _node_properties(subject, facets)


Parts = Callable[[Subject], Iterator[Part]]
Kind = tuple[str, str, tuple[Field[Part], ...], Parts]
"""A kind of component: its heading, what there is one of, its fields, and where its parts come from."""


def bom_format(name: str, title: str, short: str, facets: tuple[str, ...], kinds: tuple[Kind, ...]) -> Format:
    """A format of one document for each node, made from some facets; `short` is in the number of the document."""
    head = _head_fields(short, facets)

    def records(subject: Subject) -> Iterator[dict[str, Any]]:
        yield _document(head, kinds, subject)

    return Format(
        name=name,
        title=title,
        target=f"CycloneDX {SPEC_VERSION}",
        sections=(
            Section("The document", "node", head),
            *(Section(f"`components`: {heading}", each, fields) for heading, each, fields, _ in kinds),
        ),
        pieces=line_for_each(records),
    )


def _document(head: tuple[Field[Subject], ...], kinds: tuple[Kind, ...], subject: Subject) -> dict[str, Any]:
    """One document, with its components under the node."""
    whole = nested(head, subject)
    components = [nested(fields, part) for _, _, fields, parts in kinds for part in parts(subject)]
    if components:
        whole["components"] = components
        refs = [component["bom-ref"] for component in components]
        whole["dependencies"] = [{"ref": whole["metadata"]["component"]["bom-ref"], "dependsOn": refs}]
    return whole


def purl(kind: str, namespace: str | None, name: str, version: str, qualifiers: Mapping[str, str | None]) -> str:
    """A package URL: each part percent-encoded, qualifiers sorted and without those that are not known."""
    parts = [kind, *([quote(namespace, safe="")] if namespace else []), quote(name, safe="")]
    known = sorted((key, value) for key, value in qualifiers.items() if value)
    query = "&".join(f"{key}={quote(value, safe='/:')}" for key, value in known)
    return f"pkg:{'/'.join(parts)}@{quote(version, safe=':')}" + (f"?{query}" if query else "")
