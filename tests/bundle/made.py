"""Bundles for these tests, really sealed: what our programs said in them is made, or comes from a simulated node."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sparkctl.evidence.reading import opened
from sparkctl.evidence.sealing import seal
from sparkctl.evidence.signers import signer_of
from sparkctl.model.envelope import Cost, Limits
from sparkctl.model.evidence import About, EntryFacts, EntryKind, Missing
from sparkctl.model.vocabulary import Elevation, Origin
from sparkctl.redaction.known import Known
from sparkctl.redaction.redactor import Kind, Redactor
from sparkctl.redaction.standins import Pseudonyms
from tests.redaction.trees import redacted
from tests.support.envelopes import envelope, finding
from tests.support.facts import facet, identity
from tests.support.resets import document, encoded, transition

SALT_KEY = b"of the tests, and of nobody else"
MOMENT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ARTEFACTS = {"kernel/modules.txt": b"nvidia 1 - Live\n", "gpu/table.txt": b"GB10\n"}


def about(**parts: Any) -> About:
    """Where a bundle comes from, any part replaced."""
    said = {
        "node": "host-xabcdefghij",
        "collected_at": MOMENT,
        "tool": "sparkctl",
        "version": "0.1.0",
        "program_sha256": "ab" * 32,
        "elevation": Elevation.COMMANDS,
        "origin": Origin.SIMULATED,
        "simulated": True,
        "limits": Limits(seconds=60.0, bytes=50 * 2**20),
        "spent": Cost(wall_ms=900, cpu_ms=300, children=12, bytes=4711),
    }
    return About(**{**said, **parts})


def health(*findings: dict[str, Any]) -> bytes:
    """judged/health.json with these findings."""
    return json.dumps(envelope(*(findings or (finding(),)), origin="simulated")).encode()


def facts(**facets: Mapping[str, Any]) -> bytes:
    """judged/facts.json with these facets, of each its data."""
    whole = envelope(schema="sparkctl.facts/1", origin="simulated")
    named = {"identity": identity(), **facets}
    whole["data"] = {"facets": {name: facet(data) for name, data in named.items()}}
    return json.dumps(whole).encode()


def reset(*transitions: dict[str, Any]) -> bytes:
    """judged/reset.json with these ends of boots."""
    return encoded(document(*transitions, meta={"origin": "simulated"}))


def made(
    out: Path,
    *,
    artefacts: Mapping[str, bytes] = ARTEFACTS,
    facts_of: Sequence[EntryFacts] = (),
    missing: Sequence[Missing] = (),
    key: Path | None = None,
    contents: Mapping[str, bytes] | None = None,
    **said: Any,
) -> Path:
    """A bundle in which every document is as given, or is of a node that is well.

    `contents` are whole entries by their path, `facts_of` replaces what is said of an entry, `said` parts of About.
    """
    entries = {
        "judged/health.json": health(),
        "judged/facts.json": facts(),
        "judged/reset.json": reset(transition(termination="orderly.reboot", expected="yes")),
        "redaction.json": _report(),
        **{f"artefacts/{name}": content for name, content in artefacts.items()},
        **(contents or {}),
    }
    folder = out.parent / f"{out.name}.spool"
    for path, content in entries.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    replaced = {one.path: one for one in facts_of}
    told = [replaced.get(path, EntryFacts(path=path, kind=_kind(path))) for path in entries]
    signer = signer_of(key) if key else None
    seal(folder, told, missing, about(**said), out, salt_key=SALT_KEY, signer=signer)
    return out


def entry_of(path: Path, name: str) -> bytes:
    """One entry of a bundle."""
    with opened(path) as bundle:
        return bundle.read(name, 64 * 2**20)


def _kind(path: str) -> EntryKind:
    first = path.partition("/")[0]
    kinds = {"judged": EntryKind.JUDGED, "redaction.json": EntryKind.REDACTION, "tree": EntryKind.TREE}
    return kinds.get(first, EntryKind.ARTEFACT)


def _report() -> bytes:
    redactor = Redactor(Pseudonyms(bytes(32)), Known())
    redacted(redactor, "artefacts/gpu/table.txt", Kind.TEXT, b"from 203.0.113.9\n")
    return redactor.report().model_dump_json().encode()
