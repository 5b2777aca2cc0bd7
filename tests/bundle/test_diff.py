"""Two bundles compared: what was observed, never a name, and nothing where nothing has changed."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.stand_in_pairs import paired, shape
from sparkctl.contract.outside import complaint_about
from sparkctl.model.evidence import EntryFacts, EntryKind, EntryStatus, Missing
from sparkctl.model.vocabulary import UnknownReason
from tests.bundle.made import facts, health, made, reset
from tests.evidence.making import openssh_key
from tests.support.command import sparkctl
from tests.support.envelopes import finding
from tests.support.facts import identity
from tests.support.resets import transition

THRESHOLD = {"comparison": "ge", "warn": 85.0, "fail": 95.0, "provenance": "ours"}
NAMES = ("host-xabcdefghij", "serial-xabcdefghij", "48:b0:2d:00:00:01", "SHA256:" + "a" * 43)
OTHERS = ("host-x2222222222", "serial-x3333333333", "48:b0:2d:ff:ff:ff", "SHA256:" + "b" * 43)


def compare(old: Path, new: Path, *options: str) -> tuple[int, dict[str, Any]]:
    ran = sparkctl("bundle", "diff", old, new, *options, home=old.parent)
    assert ran.returncode in (0, 1, 3), ran.stderr
    assert complaint_about(ran.stdout.encode()) is None
    told: dict[str, Any] = json.loads(ran.stdout)
    return ran.returncode, told


def screen(old: Path, new: Path) -> subprocess.CompletedProcess[str]:
    return sparkctl("bundle", "diff", old, new, "--format", "human", home=old.parent)


def of_findings(folder: Path, name: str, *findings: dict[str, Any]) -> Path:
    return made(folder / name, contents={"judged/health.json": health(*findings)})


def of_facts(folder: Path, name: str, **facets: Any) -> Path:
    return made(folder / name, contents={"judged/facts.json": facts(**facets)})


def of_ends(folder: Path, name: str, *signs: float | None) -> Path:
    """A bundle with these last signs of life, the newest first."""
    ends = [
        transition(-number, termination="disorderly.silent", window={"last_sign_s": sign, "gap_s": 5.0})
        for number, sign in enumerate(signs)
    ]
    return made(folder / name, contents={"judged/reset.json": reset(*ends)})


def named(folder: Path, name: str, names: tuple[str, ...], **more: Any) -> Path:
    host, serial, mac, key = names
    data = identity(hostname=host, serial=serial, macs={"enP7s7": mac}, host_keys={"ssh-ed25519": key}, **more)
    return of_facts(folder, name, identity=data)


def test_other_names_are_no_change(tmp_path: Path) -> None:
    code, told = compare(named(tmp_path, "old", NAMES), named(tmp_path, "new", OTHERS))
    assert (code, told["changes"]) == (0, 0)
    ran = screen(tmp_path / "old", tmp_path / "new")
    assert "nothing that matters has changed" in ran.stdout
    assert "names cannot be compared across bundles" in ran.stdout


def test_how_many_names_there_are_is_compared(tmp_path: Path) -> None:
    one = named(tmp_path, "old", NAMES, drives={"nvme0": "serial-xaaaaaaaaaa"})
    two = named(tmp_path, "new", OTHERS, drives={"nvme0": "serial-xbbbbbbbbbb", "nvme1": "serial-xcccccccccc"})
    code, told = compare(one, two)
    assert code == 1
    assert [(each["field"], each["kind"]) for each in told["facts"]] == [("drives.nvme1", "appeared")]


def test_another_maker_is_a_change(tmp_path: Path) -> None:
    _, told = compare(
        named(tmp_path, "old", NAMES), named(tmp_path, "new", (*OTHERS[:2], "00:11:22:ff:ff:ff", OTHERS[3]))
    )
    assert [each["field"] for each in told["facts"]] == ["macs.enP7s7"]


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({"value": 40.0}, {"value": 70.0}, False),
        ({"value": 40.0}, {"status": "warn", "value": 90.0}, True),
        ({"status": "fail", "value": 96.0}, {"status": "fail", "value": 99.0}, False),
        ({"status": "fail", "value": 5, "unit": "1"}, {"status": "fail", "value": 500, "unit": "1"}, True),
        ({"value": 0, "unit": "1"}, {"value": 1, "unit": "1"}, False),
        ({"value": 0, "unit": "1", "threshold": None}, {"value": 1, "unit": "1", "threshold": None}, True),
        ({"value": "580.142"}, {"value": "580.150"}, True),
        ({"value": True}, {"value": False}, True),
        ({"value": "serial-xaaaaaaaaaa"}, {"value": "serial-xbbbbbbbbbb"}, False),
        ({"status": "unknown", "reason": "timeout"}, {"status": "unknown", "reason": "not_permitted"}, True),
        ({"summary": "so"}, {"summary": "or so"}, False),
    ],
)
def test_a_value_changes_where_it_means_something_else(
    old: dict[str, Any], new: dict[str, Any], changed: bool, tmp_path: Path
) -> None:
    before, after = ({"threshold": THRESHOLD, "unit": "%", **each} for each in (old, new))
    code, told = compare(
        of_findings(tmp_path, "old", finding(**before)), of_findings(tmp_path, "new", finding(**after))
    )
    assert (code, len(told["findings"])) == (int(changed), int(changed))


def test_what_needs_hands_comes_first_and_a_check_may_be_new(tmp_path: Path) -> None:
    old = of_findings(tmp_path, "old", finding("a.one"), finding("b.two", "fail"), finding("c.three"))
    new = of_findings(tmp_path, "new", finding("b.two"), finding("c.three", "fail"), finding("d.four", "unknown"))
    _, told = compare(old, new)
    assert [each["check"] for each in told["findings"]] == ["c.three", "d.four", "b.two", "a.one"]
    ran = screen(old, new)
    assert "pass → fail" in ran.stdout
    assert "not made → unknown (io_error)" in ran.stdout


@pytest.mark.parametrize(
    ("old", "new", "since", "told"),
    [
        ((7.5,), (7.5,), 0, True),
        ((7.5,), (3.25, 7.5), 1, True),
        ((7.5, 8.5), (1.5, 3.25, 7.5), 2, True),
        ((7.5, 8.5), (7.5,), 0, True),
        ((7.5,), (1.5, 3.25), 2, False),
        ((), (1.5,), 1, False),
        ((None,), (None,), 0, True),
    ],
)
def test_ends_since_are_told_by_the_last_sign_of_life(
    old: tuple[float | None, ...], new: tuple[float | None, ...], since: int, told: bool, tmp_path: Path
) -> None:
    code, found = compare(of_ends(tmp_path, "old", *old), of_ends(tmp_path, "new", *new))
    assert (len(found["ends"]), found["ends_told"]) == (since, told)
    assert code == (1 if since else 0)


def test_facts_that_pass_are_named_and_not_counted(tmp_path: Path) -> None:
    drivers = {"nvidia": {"loaded": True, "version": "580.142"}}
    old = of_facts(tmp_path, "old", drivers={**drivers, "loaded": ["nvidia"]})
    new = of_facts(tmp_path, "new", drivers={**drivers, "loaded": ["fuse", "nvidia"]})
    code, told = compare(old, new)
    assert (code, told["passing"]) == (0, ["drivers.loaded"])
    changed = of_facts(
        tmp_path, "changed", drivers={"nvidia": {"loaded": True, "version": "580.150"}, "loaded": ["nvidia"]}
    )
    code, told = compare(old, changed)
    assert [(each["field"], each["before"], each["after"]) for each in told["facts"]] == [
        ("nvidia.version", "580.142", "580.150")
    ]


def test_artefacts_that_come_go_or_are_cut(tmp_path: Path) -> None:
    host, other = NAMES[0], OTHERS[0]
    old = made(
        tmp_path / "old",
        artefacts={"a/gone": b"1", "a/lost": b"1", "a/cut": b"1", f"a/{host}.log": b"1"},
        missing=[Missing(name="a/never", reason=UnknownReason.MISSING_TOOL, words="no such program")],
    )
    cut = EntryFacts(
        path="artefacts/a/cut", kind=EntryKind.ARTEFACT, status=EntryStatus.TRUNCATED, words="9 lines left out"
    )
    new = made(
        tmp_path / "new",
        artefacts={"a/new": b"1", "a/cut": b"1", f"a/{other}.log": b"another text"},
        facts_of=[cut],
        missing=[
            Missing(name="a/lost", reason=UnknownReason.TIMEOUT, words="not within 5 s"),
            Missing(name="a/never", reason=UnknownReason.MISSING_TOOL, words="no such program"),
            Missing(name="a/since", reason=UnknownReason.NOT_PERMITTED, words="not permitted"),
        ],
    )
    code, told = compare(old, new)
    assert [(each["path"], each["event"], each["words"]) for each in told["artefacts"]] == [
        ("artefacts/a/cut", "cut", "9 lines left out"),
        ("artefacts/a/gone", "gone", None),
        ("artefacts/a/lost", "missing", "not within 5 s"),
        ("artefacts/a/new", "new", None),
        ("a/since", "missing", "not permitted"),
    ]
    assert code == 1


def test_another_program_is_told(tmp_path: Path) -> None:
    code, told = compare(made(tmp_path / "old"), made(tmp_path / "new", version="0.2.0", program_sha256="cd" * 32))
    assert code == 1
    assert [each["what"] for each in told["programs"]] == ["collected by", "program on the node"]


def test_what_cannot_be_compared_is_not_the_same(tmp_path: Path) -> None:
    broken = made(tmp_path / "new", contents={"judged/health.json": b"{}"})
    code, told = compare(made(tmp_path / "old"), broken)
    assert (code, told["changes"]) == (3, 0)
    assert "judged/health.json" in told["uncompared"][0]
    assert "as far as could be compared" in screen(tmp_path / "old", broken).stdout


def test_both_are_verified(tmp_path: Path) -> None:
    key = openssh_key(tmp_path)
    signed, unsigned = made(tmp_path / "old", key=key), made(tmp_path / "new")
    ran = sparkctl("bundle", "diff", signed, unsigned, "--public-key", f"{key}.pub", home=tmp_path)
    assert (ran.returncode, ran.stdout) == (4, "")
    shown = screen(signed, unsigned)
    assert "by whom was not checked" in shown.stdout
    assert "anybody may have made it" in shown.stdout


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("host-xabcdefghij at 10.1.2.3", "", "‹host› at ‹ipv4›"),
        ("10.1.2.3", "firmware_version", "10.1.2.3"),
        ("127.0.0.1 ::1 0.0.0.0", "", "127.0.0.1 ::1 0.0.0.0"),
        ("fe80::4ab0:2dff:fe12:1", "", "‹ipv6›"),
        ("48:B0:2D:12:34:56", "", "‹mac 48:b0:2d›"),
        ("0000:01:00.0", "", "0000:01:00.0"),
        ("12:34:56", "", "12:34:56"),
        ("sha256:" + "ab" * 32, "", "sha256:" + "ab" * 32),
        ("/dev/disk/by-uuid/12AB-34CD", "", "/dev/disk/by-uuid/‹volume›"),
        ("5.36_0ACUM018", "", "5.36_0ACUM018"),
    ],
)
def test_the_form_of_a_text(text: str, name: str, found: str) -> None:
    assert shape(text, name) == found


def test_members_are_paired_by_what_they_hold() -> None:
    old = {"user-xaaaaaaaaaa": {"shell": "sh"}, "user-xbbbbbbbbbb": {"shell": "fish"}, "root": {"shell": "sh"}}
    new = {"user-xcccccccccc": {"shell": "fish"}, "root": {"shell": "sh"}, "user-xdddddddddd": {"shell": "sh"}}
    left, right = paired(old, new)
    assert left == right == new
    left, right = paired(["user-xaaaaaaaaaa", "root"], ["root", "user-xcccccccccc"])
    assert left == right
    left, right = paired(["user-xaaaaaaaaaa"], ["user-xaaaaaaaaaa", "user-xbbbbbbbbbb"])
    assert left != right
