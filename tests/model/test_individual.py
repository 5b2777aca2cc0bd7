"""The fields that baselines leave out exist."""

import pytest

from sparkctl.model.facets.fields import type_at
from sparkctl.model.facets.individual import INDIVIDUAL, PASSING, UNIQUE
from sparkctl.model.facets.paths import from_text, to_text


@pytest.mark.parametrize("pattern", [*INDIVIDUAL, *PASSING, *UNIQUE])
def test_every_pattern_names_a_field(pattern: str) -> None:
    type_at(from_text(pattern))
    assert to_text(from_text(pattern)) == pattern
