"""The order of Debian versions; each row is what `dpkg --compare-versions` says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.model.debian_version import at_least, version_key

ASCENDING = (
    ("1.0~rc1", "1.0"),
    ("1.0~~", "1.0~"),
    ("1.0", "1.0-1"),
    ("1.0-1", "1.0-1ubuntu1"),
    ("1.0-1~24.04", "1.0-1"),
    ("9.9", "10.0"),
    ("2.0", "1:0.9"),
    ("1.0a", "1.0+b"),
    ("1.0a", "1.0."),
    ("0~+1", "0"),
    ("0a0-0~1", "0a0-0"),
    ("580.142-0ubuntu0.24.04.1", "580.159.03-0ubuntu0.24.04.1"),
    ("6.17.0-1014.14", "6.17.0-1029.29+1"),
    ("24.01.0+0.38-1", "24.01.0+0.38-1build2"),
)


@pytest.mark.parametrize(("older", "newer"), ASCENDING)
def test_the_older_version_comes_first(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)
    assert at_least(newer, older)
    assert not at_least(older, newer)


@pytest.mark.parametrize(("one", "other"), [("1.0", "0:1.0"), ("1.0", "1.0-0"), ("1.00", "1.0"), ("1.", "1.0")])
def test_two_spellings_of_one_version_are_equal(one: str, other: str) -> None:
    assert version_key(one) == version_key(other)


@given(st.text(alphabet="01289.~+-:abz", max_size=20))
def test_a_tilde_makes_any_version_older_and_a_letter_newer(version: str) -> None:
    end = version_key(version)
    assert version_key(f"{version}~") < end < version_key(f"{version}a")


@given(st.text(max_size=60))
def test_any_text_has_a_place(version: str) -> None:
    assert version_key(version) == version_key(version)
