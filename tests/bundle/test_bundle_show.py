"""The page of a bundle: whose word it is, what an engineer asks first, and no byte that steers a terminal."""

import json
from pathlib import Path

import pytest

from sparkctl.contract.outside import complaint_about
from sparkctl.model.evidence import CommandSource, EntryFacts, EntryKind, EntryStatus, Missing
from sparkctl.model.vocabulary import UnknownReason
from tests.bundle.made import facts, health, made, reset
from tests.evidence.making import openssh_key
from tests.support.command import sparkctl
from tests.support.envelopes import finding
from tests.support.resets import transition

FULL = finding("disk.space", "fail", value=97.3, unit="%", summary="/ is 97.3 % full", action="free some of it")
HIDDEN = b"plain\n\x1b[2J\x1b]0;owned\x07 \xe2\x80\xae reversed \xff\n"


def bundle_of(folder: Path, **parts: object) -> Path:
    contents = {
        "judged/health.json": health(FULL, finding("gpu.query", "unknown"), finding("boot.taint")),
        "judged/facts.json": facts(drivers={"nvidia": {"loaded": True, "version": "580.142", "flavour": "open"}}),
        "judged/reset.json": reset(transition(termination="disorderly.silent", expected="no")),
    }
    return made(folder / "a.zst", contents=contents, **parts)  # type: ignore[arg-type]


def test_the_page_answers_what_is_asked_first(tmp_path: Path) -> None:
    cut = EntryFacts(
        path="artefacts/gpu/table.txt",
        kind=EntryKind.ARTEFACT,
        status=EntryStatus.TRUNCATED,
        source=CommandSource(argv=["nvidia-smi"]),
        words="40 lines left out",
    )
    gone = Missing(name="kernel/dmesg.txt", reason=UnknownReason.NOT_PERMITTED, words="Operation not permitted")
    ran = sparkctl(
        "bundle", "show", bundle_of(tmp_path, facts_of=[cut], missing=[gone]), "--format", "human", home=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    for words in (
        "host-xabcdefghij  SIMULATED",
        "not signed: anybody may have made it",
        "collected 2026-11-20 08:00:00 UTC by sparkctl 0.1.0",
        "3 checks: 1 failed, 1 could not be evaluated, 1 passed",
        "disk.space  97.3 %  / is 97.3 % full",
        "→ free some of it",
        "gpu.query",
        "disorderly.silent",
        "nobody wanted it; last writes may be lost",
        "→  a witness",
        "580.142 open",
        "40 lines left out",
        "kernel/dmesg.txt",
        "ipv4 1",
    ):
        assert words in ran.stdout, words
    assert ran.stdout.index("Needs hands") < ran.stdout.index("Could not be evaluated")


def test_the_signer_is_named_and_another_is_refused(tmp_path: Path) -> None:
    key, other = openssh_key(tmp_path), openssh_key(tmp_path, "other")
    bundle = bundle_of(tmp_path, key=key)
    unchecked = sparkctl("bundle", "show", bundle, "--format", "human", home=tmp_path)
    assert "by whom was not checked" in unchecked.stdout
    checked = sparkctl("bundle", "show", bundle, "--public-key", f"{key}.pub", "--format", "human", home=tmp_path)
    assert "signed by SHA256:" in checked.stdout
    refused = sparkctl("bundle", "show", bundle, "--public-key", f"{other}.pub", home=tmp_path)
    assert (refused.returncode, refused.stdout) == (4, "")


def test_a_changed_byte_shows_nothing(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path)
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(content)
    ran = sparkctl("bundle", "show", bundle, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")


def test_programs_get_a_published_document(tmp_path: Path) -> None:
    ran = sparkctl("bundle", "show", bundle_of(tmp_path), home=tmp_path)
    page = json.loads(ran.stdout)
    assert page["vouching"] == "unsigned"
    assert page["rollup"]["worst"] == "fail"
    assert complaint_about(ran.stdout.encode()) is None


def test_what_a_bundle_says_wrongly_or_not_at_all_is_said(tmp_path: Path) -> None:
    contents = {"judged/health.json": b'{"ok":true,"ok":false}', "judged/reset.json": b"[" * 5000}
    ran = sparkctl("bundle", "show", made(tmp_path / "a", contents=contents), "--format", "human", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("the bundle does not say") == 2
    assert "judged/health.json" in ran.stdout[ran.stdout.index("Not read") :]


def test_the_roll_up_is_made_here(tmp_path: Path) -> None:
    lying = json.loads(health(FULL))
    lying["data"]["rollup"] |= {"worst": "pass"}
    bundle = made(tmp_path / "a", contents={"judged/health.json": json.dumps(lying).encode()})
    assert json.loads(sparkctl("bundle", "show", bundle, home=tmp_path).stdout)["rollup"]["worst"] == "fail"


def test_a_text_is_shown_with_what_it_hides(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, artefacts={"log/a.txt": HIDDEN})
    ran = sparkctl("bundle", "show", bundle, "log/a.txt", home=tmp_path)
    assert ran.stdout == "plain\n\\x1b[2J\\x1b]0;owned\\x07 \\u202e reversed \\xff\n"
    assert "not signed" in ran.stderr


def test_an_entry_is_json_where_that_is_asked_for(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, artefacts={"log/a.txt": HIDDEN})
    told = json.loads(sparkctl("bundle", "show", bundle, "log/a.txt", "--format", "json", home=tmp_path).stdout)
    assert (told["entry"], told["binary"], told["left_out"]) == ("artefacts/log/a.txt", False, 0)
    assert "\x1b" not in told["text"]


def test_a_binary_is_shown_in_hexadecimal(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, artefacts={"hardware/smbios.bin": b"\0SMBIOS" + bytes(5000)})
    ran = sparkctl("bundle", "show", bundle, "artefacts/hardware/smbios.bin", "--format", "human", home=tmp_path)
    assert ran.stdout.startswith("00000000  00 53 4d 42 49 4f 53 00")
    assert len(ran.stdout.splitlines()) == 64
    assert "3,983 more bytes" in ran.stderr


@pytest.mark.parametrize("name", ["../../etc/passwd", "kernel/modulez.txt", "manifest.json", "\x1b[2J"])
def test_what_is_not_in_it_is_not_shown(name: str, tmp_path: Path) -> None:
    ran = sparkctl("bundle", "show", bundle_of(tmp_path), name, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "\x1b" not in ran.stderr
    assert ("did you mean artefacts/kernel/modules.txt" in ran.stderr) == (name == "kernel/modulez.txt")
