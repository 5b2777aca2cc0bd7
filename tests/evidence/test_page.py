"""The page about the format: its commands are run as they stand there, with nothing of ours in reach."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.evidence import documents, frame
from sparkctl.evidence.reading import opened
from sparkctl.evidence.signers import signer_of
from sparkctl.model.evidence import MAX_ENTRIES, About, Entry, EntryKind, EntryStatus, Manifest, Missing
from sparkctl.model.evidence_path import MAX_PART, MAX_PATH
from tests.evidence.hostile import flipped, part, tar_in
from tests.evidence.making import CONTENTS, allowed, openssh_key, packed, pem_key, sealed, tar_of

PAGE = (Path(__file__).parents[2] / "docs/evidence-format.md").read_text("utf-8")
UNPACK, BY_OPENSSH, BY_OPENSSL, WHOLE, PART = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)

NAMED = ["zstd", "tar", "jq", "ssh-keygen", "openssl"]
CORE = ["bash", "base64", "cat", "cmp", "cut", "find", "fold", "grep", "head", "mkdir", "mktemp", "realpath"]
CORE += ["sed", "sha256sum", "sort", "tr", "wc"]

absent = [tool for tool in NAMED + CORE if not shutil.which(tool)]
with_tools = pytest.mark.skipif(bool(absent), reason=f"the page's tools are not all here: {', '.join(absent)}")


def test_every_key_and_limit_is_named() -> None:
    words = set(re.findall(r"`([^`]+)`", PAGE))
    for model in (About, Entry, Manifest, Missing):
        assert set(model.model_fields) <= words
    assert {*EntryKind, *EntryStatus} <= words
    limits = [MAX_ENTRIES, MAX_PART, MAX_PATH, documents.MAX_NESTED, documents.MAX_KEYS, documents.MAX_VALUES]
    for limit in limits:
        assert re.search(rf"\b{limit:,}\b", PAGE), limit
    for magic in (frame.HEADER, frame.DIGEST_HEADER):
        assert f"`{magic.hex(' ')}`" in PAGE


def run(tmp_path: Path, script: str, bundle: Path, trusted: Path) -> subprocess.CompletedProcess[str]:
    """Run commands of the page where there is no other program than the page names."""
    tools, scratch = tmp_path / "tools", tmp_path / "scratch"
    if not tools.exists():
        tools.mkdir()
        scratch.mkdir()
        for tool in NAMED + CORE:
            (tools / tool).symlink_to(str(shutil.which(tool)))
    return subprocess.run(
        [tools / "bash", "-c", script, "bash", bundle, trusted], capture_output=True, text=True, check=False,
        timeout=120,
        env={"PATH": str(tools), "HOME": str(tmp_path), "TMPDIR": str(scratch), "LANG": "C.UTF-8"}, cwd="/",
    )  # fmt: skip


Made = tuple[str, Path, Path]


def by_openssh(tmp_path: Path) -> Made:
    key = openssh_key(tmp_path)
    sealed(tmp_path / "b", signer_of(key))
    return UNPACK + BY_OPENSSH + WHOLE, tmp_path / "b", allowed(tmp_path, key)


def by_openssl(tmp_path: Path) -> Made:
    sealed(tmp_path / "b", signer_of(pem_key(tmp_path)))
    return UNPACK + BY_OPENSSL + WHOLE, tmp_path / "b", tmp_path / "key.pub.pem"


def of_a_part(tmp_path: Path) -> Made:
    path, trust = part(tmp_path)
    return UNPACK + BY_OPENSSL + PART, path, trust.file


@with_tools
@pytest.mark.parametrize("made", [by_openssh, by_openssl, of_a_part])
def test_the_commands_find_a_good_bundle_good(tmp_path: Path, made: Callable[[Path], Made]) -> None:
    ran = run(tmp_path, *made(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert "whole: " in ran.stdout


@with_tools
@pytest.mark.parametrize("made", [by_openssh, by_openssl, of_a_part])
def test_the_commands_find_a_changed_bundle_bad(tmp_path: Path, made: Callable[[Path], Made]) -> None:
    script, bundle, trusted = made(tmp_path)
    tar = tar_in(bundle)
    with opened(bundle) as one:
        head, statement = one.head.content, one.head.statement_content
        members = [(entry.path, CONTENTS[entry.path]) for entry in one.entries()]
    name = "manifest.json" if script.endswith(WHOLE) else "disclosure.json"
    changed = [(path, content.replace(b"12.5", b"99.5")) for path, content in members]
    assert changed != members
    dsse = ("statement.dsse.json", statement)
    evil = {
        "content": [(name, head), dsse, *changed],
        "head": [(name, head.replace(b"12", b"13")), dsse, *members],
        "statement": [(name, head), (dsse[0], statement.replace(b'"payload":"ey', b'"payload":"eY')), *members],
        "an entry less": [(name, head), dsse, *members[1:]],
        "an entry more": [(name, head), dsse, *members, ("zz", b"")],
        "no statement": [(name, head), *members],
    }
    for kind, all_members in evil.items():
        assert tar_of(all_members) != tar, kind
        ran = run(tmp_path, script, packed(tmp_path / "hostile", tar_of(all_members)), trusted)
        assert ran.returncode != 0, kind
        assert "whole: " not in ran.stdout, kind
    content = bundle.read_bytes()
    (tmp_path / "hostile").write_bytes(content[: len(content) // 2])
    assert run(tmp_path, script, tmp_path / "hostile", trusted).returncode != 0
    (tmp_path / "hostile").write_bytes(flipped(content, len(content) * 4))
    assert run(tmp_path, script, tmp_path / "hostile", trusted).returncode != 0


@with_tools
def test_the_commands_want_the_right_key_and_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, bundle, signers = by_openssh(tmp_path)
    other = allowed(tmp_path, openssh_key(tmp_path, "other"))
    assert run(tmp_path, script, bundle, other).returncode != 0
    expired = allowed(tmp_path, tmp_path / "key", 'valid-before="20250101"')
    assert run(tmp_path, script, bundle, expired).returncode != 0
    monkeypatch.setattr("sparkctl.evidence.signers.NAMESPACE", "file")
    elsewhere = sealed(tmp_path / "file", signer_of(tmp_path / "key")).path
    assert run(tmp_path, script, elsewhere, allowed(tmp_path, tmp_path / "key")).returncode != 0
    assert run(tmp_path, script, bundle, signers).returncode == 0
