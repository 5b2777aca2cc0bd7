"""Inventories that are none: one clear sentence each, and never a traceback."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkctl.errors import ExitCode, UsageError
from sparkctl.inventory.load import check_fleet, load_fleet

Check = Callable[..., list[str]]
Write = Callable[..., Path]

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)
LADDER = "a0: &a0 {x: {x: {x: {x: y}}}}\n" + "".join(
    f"a{level}: &a{level} {{x: {{x: {{x: {{x: *a{level - 1}}}}}}}}}\n" for level in range(1, 2000)
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"# nothing yet\n", "the file is empty"),
        (b"---\n", "the file is empty"),
        (b"\x7fELF\x02\x01\x00\x00", "the file is binary, not text"),
        ("nodes: a".encode("utf-16"), "the file is UTF-16 text, not UTF-8"),
        (b"nodes:\n  a: {rack: \xe9}\n", "2: the file is not UTF-8 text: byte 0xe9 at offset 19"),
        (b"nodes:\n  a\x01b:\n", "2: the file holds a character that YAML does not allow"),
        (b"nodes:\n\ta:\n", "2: this is not valid YAML: "),
        (b"nodes: [a, b\n", "2: this is not valid YAML: "),
        (b"nodes: {a: {ssh: {host: 10.0.0.[1-2]}}}", "1: this is not valid YAML: "),
        (b"nodes: a\n---\nnodes: b\n", "2: a second document begins"),
        (b"- a\n- b\n", "1: a fleet file is a mapping with the key `nodes`, not a list or a single value"),
        (b"just words", "1: a fleet file is a mapping with the key `nodes`, not a list or a single value"),
        (b"nodes: &x {a: *x}\n", "1: *x is used inside itself"),
        (b"nodes: *gone\n", "1: *gone names no anchor above it"),
        (b"[" * 500, "1: nested deeper than 40 levels"),
        (b"[" * 100_000, "1: "),
        (b"- " * 100_000, "1: nested deeper than 40 levels"),
        (b"? " * 100_000, "1: nested deeper than 40 levels"),
        (b"{a: 1, {b: c}: d}", "1: a key must be one word, not a list or a mapping"),
        (BOMB.encode(), "6: more than 1,000,000 values, aliases counted as often as they are used"),
        (LADDER.encode(), "10: nested deeper than 40 levels"),
        (b"#!/usr/bin/env python3\nprint()\n", "1: this is a program, and sparkctl runs no inventory programs"),
        (b"nodes:\n", "1: nodes: `nodes` names no node"),
        (b"version: 1\n", "the inventory describes no node"),
        (b"nodes: []\n", "the inventory describes no node"),
        (b"a: 1\n" * 3_000_000, "the file is larger than 8 MiB"),
    ],
    ids=range(28),
)
def test_nonsense_is_one_sentence(check: Check, content: bytes, expected: str) -> None:
    (problem,) = check(content)
    assert problem.startswith(f"error {expected}") if expected.endswith(": ") else problem == f"error {expected}"


@pytest.mark.parametrize("name", ["hosts.ini", "nodes.csv", "hosts"])
def test_an_empty_file_of_any_kind(check: Check, name: str) -> None:
    assert check(b"\n", name) == ["error the file is empty"]


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    seen = {name: check_fleet(tmp_path / name)[0].message for name in ("absent.yaml", ".", "fifo", "loop", "x" * 300)}
    assert seen == {
        "absent.yaml": "there is no such file",
        ".": "this is a folder, not a file",
        "fifo": "this is not a regular file",
        "loop": "the file cannot be read: Too many levels of symbolic links",
        "x" * 300: "the file cannot be read: File name too long",
    }
    assert check_fleet(Path("/dev/zero"))[0].message == "this is not a regular file"
    assert check_fleet(Path("a\0b"))[0].message == "the file cannot be read: embedded null byte"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(write: Write) -> None:
    path = write("fleet.yaml", "nodes: a")
    path.chmod(0)
    assert check_fleet(path)[0].message == "the file may not be read"


def test_load_raises_the_first_error_with_file_line_and_key(write: Write) -> None:
    path = write("fleet.yaml", "nodes:\n  a: {rak: x}\n  b: {ssh: {prot: 1}}\n")
    with pytest.raises(UsageError) as caught:
        load_fleet(path)
    assert caught.value.message == f"{path}:2: nodes.a.rak: unknown key 'rak'"
    assert caught.value.hint == "Did you mean rack? `sparkctl inventory check` lists 1 more error."
    assert caught.value.exit_code is ExitCode.USAGE


def test_control_characters_never_reach_a_message(check: Check) -> None:
    problems = check('nodes:\n  "a\\e[31m": {"r\\ak": "x\\u202e", rack: "a\\nb"}\n')
    assert problems
    assert all(character.isprintable() for problem in problems for character in problem)


def test_lone_surrogates_are_refused(check: Check) -> None:
    assert check('nodes:\n  a: {rack: "\\ud800"}\n', "fleet.json")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(alphabet="nodes:ab \n-[]{}&*!#|>'\",=1", max_size=80).map(str.encode),
    ),
    name=st.sampled_from(["f.yaml", "f.ini", "f.csv", "f"]),
)
def test_any_bytes_load_or_are_refused(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    problems = check_fleet(path)
    try:
        assert load_fleet(path).nodes
    except UsageError:
        assert any(problem.severity == "error" for problem in problems)
    else:
        assert all(problem.severity == "warning" for problem in problems)
