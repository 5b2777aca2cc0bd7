"""Ranges and their inverse."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.inventory.ranges import MAX_NAMES, RangeError, expand, fold, natural_key, natural_sorted


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("spark01", ["spark01"]),
        ("spark[01-03]", ["spark01", "spark02", "spark03"]),
        ("spark[8-11]", ["spark8", "spark9", "spark10", "spark11"]),
        ("spark[098-101]", ["spark098", "spark099", "spark100", "spark101"]),
        ("spark[98-101]", ["spark98", "spark99", "spark100", "spark101"]),
        ("spark[01-03,12]", ["spark01", "spark02", "spark03", "spark12"]),
        ("spark[01-07:3]", ["spark01", "spark04", "spark07"]),
        ("r[1-2]n[a-b].lab", ["r1na.lab", "r1nb.lab", "r2na.lab", "r2nb.lab"]),
        ("a, b[1-2] ,c", ["a", "b1", "b2", "c"]),
        ("n[3,1]", ["n3", "n1"]),
        ("n[A-C]", ["nA", "nB", "nC"]),
        ("[1-2]", ["1", "2"]),
    ],
)
def test_expand(text: str, names: list[str]) -> None:
    assert expand(text) == names


@pytest.mark.parametrize(
    ("text", "offset", "reason"),
    [
        ("spark[01-", 5, "not closed"),
        ("spark01]", 7, "not opened"),
        ("spark[]", 6, "not a range"),
        ("spark[1-2,]", 10, "not a range"),
        ("spark[5-3]", 6, "backwards"),
        ("spark[010-12]", 6, "width"),
        ("spark[c-a]", 6, "backwards"),
        ("spark[1-9:0]", 6, "step"),
        ("spark[a-9]", 6, "not a range"),
        ("spark[1-2", 5, "not closed"),
        ("a,,b", 2, "missing"),
        ("a,", 1, "missing"),
        ("", 0, "missing"),
        ("n[1-100001]", 2, "100,000"),
        ("n[1-99999999999999999999]", 2, "too large"),
        ("n[1-999999999999999]", 2, "100,000"),
        ("n[1-400][1-400]", 0, "100,000"),
        ("n[1-99999],m[1-2]", 11, "100,000"),
    ],
)
def test_what_is_no_range_is_refused_with_its_place(text: str, offset: int, reason: str) -> None:
    with pytest.raises(RangeError) as caught:
        expand(text)
    assert caught.value.offset == offset
    assert reason in caught.value.reason


def test_a_huge_product_is_refused_before_it_is_built() -> None:
    with pytest.raises(RangeError):
        expand("n" + "[1-99999]" * 50)


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        ([], ""),
        (["spark01"], "spark01"),
        (["spark02", "spark01", "spark02"], "spark[01-02]"),
        ([f"spark{number:02}" for number in (*range(1, 13), 14)], "spark[01-12,14]"),
        (["n9", "n10", "n11"], "n[9-11]"),
        (["n09", "n10", "n9"], "n[9,09-10]"),
        (["n098", "n099", "n100"], "n[098-100]"),
        (["n1", "n01", "n001"], "n[1,01,001]"),
        (["spark01.dc1.example.com", "spark02.dc1.example.com"], "spark[01-02].dc1.example.com"),
        ([f"r{rack}n{node}" for rack, node in product((1, 2), (1, 2, 3))], "r[1-2]n[1-3]"),
        (["r1n1", "r1n2", "r2n1"], "r1n[1-2],r2n1"),
        (["web", "spark1", "db"], "db,spark1,web"),
        (["a1", "b1c2", "a2"], "a[1-2],b1c2"),
    ],
)
def test_fold(names: list[str], folded: str) -> None:
    assert fold(names) == folded
    assert set(expand(folded)) == set(names) if names else True


NAMES = st.one_of(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,12}[A-Za-z0-9])?", fullmatch=True),
    st.from_regex(r"(spark|n)[0-3]{1,4}(-[0-2]{1,2})?(\.x1)?", fullmatch=True),
    st.from_regex(r"n[0-9]{17,20}", fullmatch=True),
)


@given(st.lists(NAMES, min_size=1, max_size=60))
def test_expand_is_the_inverse_of_fold(names: list[str]) -> None:
    expanded = expand(fold(names))
    assert sorted(expanded, key=natural_key) == natural_sorted(names)
    assert fold(reversed(names)) == fold(names)


@given(st.sets(st.integers(0, 300), min_size=1), st.integers(1, 4))
def test_names_of_one_pattern_unfold_in_natural_order(numbers: set[int], width: int) -> None:
    names = [f"spark{number:0{width}}" for number in numbers]
    assert expand(fold(names)) == natural_sorted(names)


@given(st.text(alphabet="ab01-[],: ", max_size=20))
def test_any_text_is_expanded_or_refused(text: str) -> None:
    try:
        names = expand(text)
    except RangeError as error:
        fault = error
    else:
        assert 1 <= len(names) <= MAX_NAMES
        return
    assert 0 <= fault.offset <= len(text)


def test_ten_thousand_names_fold_at_once() -> None:
    names = [f"r{number // 40:03}-spark{number:05}" for number in range(10_000)]
    folded = fold(names)
    assert set(expand(folded)) == set(names)
    assert len(folded) < 100 * len({name[:4] for name in names})


def test_natural_order() -> None:
    assert natural_sorted(["n10", "n2", "n02", "m", "n2"]) == ["m", "n2", "n02", "n10"]
