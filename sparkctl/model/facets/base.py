"""The shape that all facets have in common."""

from typing import Annotated, Generic, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sparkctl.model.base import MAX_INTEGER, PRINTABLE, Record, Text, Word
from sparkctl.model.canonical import canonical_json
from sparkctl.model.facets import paths
from sparkctl.model.vocabulary import UnknownReason


def _is_path(text: str) -> str:
    paths.from_text(text)
    return text


FieldPath = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=400), AfterValidator(_is_path)]
"""A field as dotted names; names with other characters stand in brackets: `interfaces[wg0:1].mtu`. Empty: all of it."""

Number = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
"""A whole number that cannot be negative."""

Hex = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]+$", max_length=20)]
"""A number in hexadecimal with `0x`, as sysfs prints ids."""


class Gap(Record):
    """A field that could not be read, and why; the field itself is null. `locator` is a path or a command line."""

    path: FieldPath
    reason: UnknownReason
    summary: Text
    locator: Text | None = None


DataT = TypeVar("DataT", bound=Record)
VolatileT = TypeVar("VolatileT", bound=Record)


class Facet(Record, Generic[DataT, VolatileT]):
    """One facet of one node.

    In `data`, null means: read, and there is nothing, unless a gap names the field. `data` itself is null when nothing
    could be collected. `volatile` holds what changes by itself and is no part of a comparison.
    """

    data: DataT | None
    volatile: VolatileT
    gaps: Annotated[list[Gap], Field(max_length=200)]

    @model_validator(mode="after")
    def _says_why_it_is_empty(self) -> Self:
        if self.data is None and not any(gap.path == "" for gap in self.gaps):
            raise ValueError("a facet without data must have a gap that says why")
        return self

    @property
    def text(self) -> str:
        """Canonical JSON of what was found and of what could not be read, without what changes by itself.

        Its digest is the content address of the facet: `{"data": {...}, "gaps": {PATH: REASON}}`, nulls left out.
        """
        data = self.data.model_dump(mode="json", exclude_none=True) if self.data else None
        return canonical_json({"data": data, "gaps": {gap.path: gap.reason.value for gap in self.gaps}}).decode()


class Nothing(Record):
    """The volatile part of a facet that has none."""


Names = Annotated[list[Word], Field(max_length=1000)]
"""Names, sorted."""
