"""The certificate of sanitisation for people: as Markdown, and as one page for a browser or a printer."""

import re
from html import escape

from sparkctl.model.certificate import Certificate, CertifiedMedium
from sparkctl.model.sanitisation import Person
from sparkctl.report.templates import environment
from sparkctl.report.words import size, to_second

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~])")

Rows = list[tuple[str, str]]


def medium_rows(medium: CertifiedMedium) -> Rows:
    """The lines of the form about one medium, in its order."""
    return [
        ("Vendor / make", medium.manufacturer),
        ("Media type", medium.media_type),
        ("Model number", medium.model),
        ("Serial number", medium.serial),
        ("Property number", medium.property_number),
        ("Source", medium.source),
        ("Classification before", medium.classification),
        ("Operational / damaged", "damaged" if medium.damaged else "operational"),
        ("Capacity", size(medium.bytes) if medium.bytes is not None else "not recorded"),
        ("Sanitization method", medium.method.value),
        ("Sanitization technique", medium.technique.replace("_", " ")),
        ("Tool and version", f"{medium.tool} {medium.tool_version}"),
        ("Verification method", medium.verification),
        ("Classification after", medium.classification_after),
        ("Destination", medium.destination),
    ]


def machine_rows(certificate: Certificate) -> Rows:
    """The lines about the machine and the certificate."""
    tpm = certificate.tpm.value if certificate.tpm else "none"
    return [
        ("Certificate", certificate.number),
        ("Standard", certificate.standard),
        ("Issued", f"{to_second(certificate.issued_at)} by {certificate.issued_by}, sparkctl {certificate.version}"),
        ("Machine", f"{certificate.node_id}, {certificate.machine_model}"),
        ("Serial number of the machine", certificate.machine_serial),
        ("Identity held against", certificate.identity_checked),
        ("Method", certificate.method.value),
        ("TPM", f"{tpm}: {'; '.join(certificate.tpm_reasons)}"),
        ("Data backed up", certificate.backup),
        ("Record, SHA-256", certificate.record_sha256),
    ]


def person_rows(person: Person) -> Rows:
    """The lines about somebody who did or checked it."""
    return [
        ("Name", person.name),
        ("Title", person.title),
        ("Organisation", person.organisation or "-"),
        ("Date", to_second(person.at)),
        ("Location", person.location),
        ("Contact", person.contact),
        ("Signature", ""),
    ]


def people(certificate: Certificate) -> list[tuple[str, Person]]:
    """Everybody who is named, with what they did."""
    found = [
        ("Sanitization performed by", certificate.performed_by),
        ("Verified by", certificate.verified_by),
        ("Validated by", certificate.validated_by),
    ]
    for one in certificate.destroyed:
        found.append((f"Destruction of {one.serial} performed by", one.performed_by))
        found.append((f"Destruction of {one.serial} witnessed by", one.witnessed_by))
    return found


def attempt_lines(medium: CertifiedMedium) -> list[str]:
    """What was tried on a medium, in this order."""
    return [
        f"{to_second(one.started_at)} {one.technique.replace('_', ' ')}: {one.outcome.value.replace('_', ' ')}"
        f" ({'; '.join(one.reasons)})"
        for one in medium.attempts
    ]


def as_markdown(certificate: Certificate) -> str:
    """The certificate as Markdown; what others wrote stands in it as text."""
    mark = " (EXERCISE)" if certificate.simulated else ""
    lines = [f"# Certificate of sanitisation{mark}", "", *_table(machine_rows(certificate))]
    for medium in certificate.media:
        lines += ["", f"## Medium {_text(medium.serial)}", "", *_table(medium_rows(medium)), "", "What was tried:", ""]
        lines += [f"- {_text(line)}" for line in attempt_lines(medium)] or ["- nothing"]
    for title, person in people(certificate):
        lines += ["", f"## {_text(title)}", "", *_table(person_rows(person))]
    lines += ["", "## What this does not say", "", *(f"- {_text(words)}" for words in certificate.not_told)]
    if certificate.records:
        lines += ["", "## Records", "", *_table([(one.name, one.sha256) for one in certificate.records])]
    return "\n".join(lines) + "\n"


def as_html(certificate: Certificate) -> str:
    """The certificate as one page: nothing is loaded, nothing runs, everything is escaped."""
    return (
        environment()
        .get_template("certificate.html")
        .render(
            certificate=certificate,
            machine=machine_rows(certificate),
            media=[(each.serial, medium_rows(each), attempt_lines(each)) for each in certificate.media],
            people=[(title, person_rows(person)) for title, person in people(certificate)],
        )
    )


def _table(rows: Rows) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {_text(key)} | {_text(value)} |" for key, value in rows)]


def _text(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", escape(words, quote=False))
