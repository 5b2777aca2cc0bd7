"""The schemas that go into a bundle, so that its documents can be checked by whoever has nothing but the bundle."""

from collections.abc import Iterable
from pathlib import Path

from sparkctl.contract.generated import schema_file_text
from sparkctl.model.evidence import EntryFacts, EntryKind

OF_EVERY_BUNDLE = ("evidence-disclosure", "evidence-envelope", "evidence-manifest", "evidence-statement")


def write_schemas(folder: Path, names: Iterable[str]) -> list[EntryFacts]:
    """Write `schemas/NAME.schema.json` for some published documents, and for those that every bundle has."""
    (folder / "schemas").mkdir(exist_ok=True)
    facts = []
    for name in sorted({*names, *OF_EVERY_BUNDLE}):
        path = f"schemas/{name}.schema.json"
        (folder / path).write_text(schema_file_text(name), "utf-8")
        facts.append(EntryFacts(path=path, kind=EntryKind.SCHEMA, media_type="application/schema+json"))
    return facts
