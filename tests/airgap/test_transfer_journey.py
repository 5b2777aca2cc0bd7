"""From one side of the gap to the other and back: what crosses, who must have signed, and what is refused."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from sparkctl.airgap.layout import BOM, MANIFEST, SUMS
from sparkctl.contract.outside import complaints
from tests.airgap.gaps import Gap, contents, copied, forge, gap_in, manifest_of, must, refused
from tests.support.command import environment, sparkctl

ROOT = Path(__file__).parents[2]
FILES = {"a/one.txt": b"one\n", "a/two words.txt": b"two\n", "again.txt": b"one\n", "päckchen/é.bin": bytes(3000)}


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    made = gap_in(tmp_path / "gap")
    made.write(FILES)
    return made


def test_what_was_packed_is_what_is_there(gap: Gap) -> None:
    must(gap.pack())
    gap.cross(1, "--receipt", gap.top / "receipt.json", "--key", gap.key("bob"))
    assert contents(gap.tree / "current") == FILES
    manifest = manifest_of(gap.packed(1))
    assert len(manifest.carried) == 3  # two files are alike
    told = must(gap.near("receipt", gap.top / "receipt.json", "--allowed-signers", gap.top / "signers"))
    assert "sequence 1 of tools was applied" in told.stdout
    assert "bob signed this" in told.stdout
    for path in (gap.packed(1) / MANIFEST, gap.top / "receipt.json", gap.tree / "stream.json"):
        assert list(complaints(path.read_bytes())) == []


def test_a_delta_carries_what_changed_and_the_rest_is_there_after_all(gap: Gap) -> None:
    must(gap.pack())
    gap.cross(1, "--receipt", gap.top / "receipt.json", "--key", gap.key("bob"))
    must(gap.near("receipt", gap.top / "receipt.json", "--allowed-signers", gap.top / "signers"))
    gap.write({"a/one.txt": b"another\n", "new.txt": b"new\n"})
    (gap.source / "a/two words.txt").unlink()
    must(gap.pack("--delta"))
    assert len(manifest_of(gap.packed(2)).carried) == 2
    gap.cross(2)
    assert contents(gap.tree / "current") == contents(gap.source)
    assert not (gap.tree / "current/a/two words.txt").exists()
    must(gap.far("have", "--from", gap.tree, "--stream", "tools", "--out", gap.top / "have.json"))
    must(gap.pack("--have", gap.top / "have.json"))
    assert manifest_of(gap.packed(3)).carried == []
    gap.cross(3)
    assert contents(gap.tree / "current") == contents(gap.source)


def test_what_is_applied_is_for_everybody_to_read(gap: Gap) -> None:
    must(gap.pack())
    must(gap.bring(1))
    command = [sys.executable, "-m", "sparkctl", "airgap", "apply", str(gap.quarantine / "tools-00000001")]
    env = {**environment(gap.top), "PYTHONPATH": str(ROOT), "SPARKCTL_STATE": str(gap.top / "far")}
    to = gap.top / "site/tree"
    rules = str(gap.top / "airgap.yaml")
    subprocess.run([*command, "--site", rules, "--to", str(to)], env=env, umask=0o077, check=True)
    for path in (
        gap.top / "site",
        to,
        *(to / "current/").resolve().rglob("*"),
        to / "trees",
        (to / "current").resolve(),
    ):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o444), path


def test_what_killed_calls_left_goes_with_the_next_bundle(gap: Gap) -> None:
    must(gap.pack())
    gap.cross(1)
    blob = next(gap.tree.glob("blobs/??/*"))
    half = gap.tree / "trees/.00000002-0123456789abcdef.new"
    half.mkdir()
    (half / "file").hardlink_to(blob)
    (blob.parent / f".{'00' * 32}.new").write_bytes(b"half")
    gap.write({"a/one.txt": b"another\n", "again.txt": b"another\n"})
    must(gap.pack())
    gap.cross(2, "--keep", "1")
    assert len(list(gap.tree.glob("trees/*"))) == 1
    assert list(gap.tree.glob("trees/.*")) + list(gap.tree.glob("blobs/??/.*")) == []
    assert {path.read_bytes() for path in gap.tree.glob("blobs/??/*")} == set(contents(gap.source).values())


def test_trees_that_are_not_kept_leave_nothing(gap: Gap) -> None:
    for number in range(1, 5):
        gap.write({"a/one.txt": b"%d" % number})
        must(gap.pack())
        gap.cross(number, "--keep", "1")
    assert len(list((gap.tree / "trees").iterdir())) == 1
    assert len(list((gap.tree / "blobs").glob("??/*"))) == len({*contents(gap.source).values()})


def test_a_far_side_that_has_not_what_it_said_applies_nothing(gap: Gap) -> None:
    must(gap.pack())
    gap.cross(1)
    must(gap.far("have", "--from", gap.tree, "--stream", "tools", "--out", gap.top / "have.json"))
    lie = json.loads((gap.top / "have.json").read_text())
    gap.write({"never.txt": b"never sent", "nor.txt": b"this"})
    lie["blobs"] = sorted([*lie["blobs"], *(hashlib.sha256(each).hexdigest() for each in (b"never sent", b"this"))])
    (gap.top / "have.json").write_text(json.dumps(lie))
    must(gap.pack("--have", gap.top / "have.json"))
    must(gap.bring(2))
    before = sorted(gap.tree.rglob("*"))
    refused(gap.apply(2), 4, "2 of the 5 contents that tools-00000002 leaves out are not in")
    assert "never.txt" in gap.apply(2).stderr
    assert sorted(gap.tree.rglob("*")) == before
    assert contents(gap.tree / "current") == FILES


def test_a_damaged_content_is_missing_and_the_next_list_says_so(gap: Gap) -> None:
    must(gap.pack())
    gap.cross(1)
    must(gap.far("have", "--from", gap.tree, "--stream", "tools", "--out", gap.top / "have.json"))
    rotten = (gap.tree / "current/päckchen/é.bin").resolve()
    os.chmod(rotten, 0o644)
    rotten.write_bytes(bytes(2999) + b"x")
    must(gap.pack("--have", gap.top / "have.json"))
    must(gap.bring(2))
    refused(gap.apply(2), 4, "or are damaged: päckchen/é.bin")
    told = must(gap.far("have", "--from", gap.tree, "--stream", "tools", "--out", gap.top / "have.json"))
    assert "1 contents are damaged" in told.stdout
    must(gap.pack("--have", gap.top / "have.json"))
    gap.cross(3)
    assert contents(gap.tree / "current") == FILES


def test_the_next_line_that_is_told_can_be_typed(tmp_path: Path) -> None:
    gap = gap_in(tmp_path / "a b")
    gap.write(FILES)
    told = must(gap.pack(keys=())).stdout
    assert f"airgap sign '{gap.packed(1)}' --key" in told
    refused(gap.bring(1), 4, "is not signed")
    must(gap.near("sign", gap.packed(1), "--key", gap.key("alice")))
    assert f"airgap apply '{gap.quarantine}/tools-00000001' --site '{gap.top}/airgap.yaml'" in must(gap.bring(1)).stdout


def test_an_older_bundle_and_an_equal_one_are_refused(gap: Gap) -> None:
    must(gap.pack())
    must(gap.pack())
    gap.cross(2)
    refused(gap.bring(1), 4, "tools-00000001 is not newer than what is here: sequence 2 of tools was applied on")
    refused(gap.apply(2), 4, "tools-00000002 is not newer")
    # Not even with a state folder that was lost: the tree knows it as well.
    fresh = str(gap.top / "fresh")
    site = gap.top / "airgap.yaml"
    took = sparkctl(
        "airgap", "verify", gap.packed(1), "--site", site, "--into", gap.quarantine, home=gap.top, SPARKCTL_STATE=fresh
    )
    assert took.returncode == 0, took.stderr
    ran = sparkctl(
        "airgap",
        "apply",
        gap.quarantine / "tools-00000001",
        "--site",
        site,
        "--to",
        gap.tree,
        home=gap.top,
        SPARKCTL_STATE=fresh,
    )
    refused(ran, 4, "tools-00000001 is not newer")


def test_deltas_are_applied_in_their_order(gap: Gap) -> None:
    must(gap.pack())
    gap.cross(1)
    have = {"schema": "sparkctl.transfer-have/1", "stream": "tools", "sequence": 7, "taken_at": "2026-01-02T03:04:05Z"}
    (gap.top / "have.json").write_text(json.dumps({**have, "blobs": []}))
    refused(gap.pack("--have", gap.top / "have.json"), 4, "the far side is at sequence 7 of tools")
    must(gap.pack("--have", gap.top / "have.json", "--sequence", "8"))
    refused(gap.bring(8), 4, "tools-00000008 starts from sequence 7 of tools, and sequence 1 was applied here")


def test_each_stream_has_its_place(gap: Gap) -> None:
    must(gap.pack())
    gap.cross(1)
    must(gap.pack(stream="mirror"))
    must(gap.bring(1, "mirror"))
    refused(gap.apply(1, stream="mirror"), 4, "mirror-00000001 is of the stream mirror, and")
    must(gap.apply(1, stream="mirror", to=gap.top / "elsewhere"))
    gap.rules(streams=["tools"])
    must(gap.pack(stream="mirror"))
    refused(gap.bring(2, "mirror"), 4, "is of the stream mirror, which is not taken here")
    (gap.top / "mine").mkdir()
    (gap.top / "mine/file").write_text("mine")
    must(gap.pack())
    must(gap.bring(2))
    refused(gap.apply(2, to=gap.top / "mine"), 2, "is not empty, and no bundle was ever applied to it")


def test_only_what_was_scanned_is_applied(gap: Gap) -> None:
    must(gap.pack())
    site = gap.top / "airgap.yaml"
    rules = json.loads(site.read_text())
    site.write_text(json.dumps({key: value for key, value in rules.items() if key != "scan"}))
    assert "is not scanned yet" in must(gap.bring(1)).stdout
    refused(gap.apply(1), 4, "tools-00000001 was not scanned here")
    gap.rules(scan=["grep", "-rqL", "nothing has this", "{folder}", "/nowhere"])
    refused(gap.far("scan", gap.quarantine / "tools-00000001", "--site", site), 4, "the scan of")
    refused(gap.apply(1), 4, "the scan of tools-00000001 ended with")
    gap.rules(scan=["/nowhere/scan", "{folder}"])
    refused(gap.far("scan", gap.quarantine / "tools-00000001", "--site", site), 2, "cannot be run")
    gap.rules(scan=["sleep", "5", "{folder}"])
    rules = json.loads(site.read_text())
    rules["scan"] = {"command": ["tail", "-f", "/dev/null", "{folder}"], "timeout": "1s"}
    site.write_text(json.dumps(rules))
    refused(gap.far("scan", gap.quarantine / "tools-00000001", "--site", site), 4, "did not end within 1 s")
    gap.rules(scan=["echo", "{folder}"])
    must(gap.far("scan", gap.quarantine / "tools-00000001", "--site", site))
    gap.rules()
    refused(gap.apply(1), 4, "was scanned by echo, as other rules say")
    must(gap.far("scan", gap.quarantine / "tools-00000001", "--site", site))
    must(gap.apply(1))
    assert contents(gap.tree / "current") == FILES


def test_what_changed_after_the_scan_is_not_applied(gap: Gap) -> None:
    must(gap.pack())
    must(gap.bring(1))
    some = next((gap.quarantine / "tools-00000001/blobs").iterdir())
    some.write_bytes(b"changed")
    refused(gap.apply(1), 2, "was changed")
    assert not gap.tree.exists()


@pytest.mark.parametrize("name", [MANIFEST, "files.sha256", BOM])
def test_a_changed_byte_beside_the_parts_is_told(gap: Gap, name: str) -> None:
    must(gap.pack())
    path = gap.packed(1) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refused(gap.bring(1), 2, f"{name} is not what was signed")


def test_a_changed_list_of_digests_is_not_what_was_signed(gap: Gap) -> None:
    must(gap.pack())
    sums = gap.packed(1) / SUMS
    sums.write_bytes(sums.read_bytes().replace(b"0", b"1", 1))
    refused(gap.bring(1), 4, "does not hold")


def test_parts_come_on_several_media(gap: Gap) -> None:
    gap.write({f"f{n}": hashlib.shake_256(bytes([n])).digest(600_000) for n in range(6)})
    must(gap.pack("--part-size", "1M"))
    bundle = gap.packed(1)
    parts = sorted(bundle.glob("blobs.*"))
    assert len(parts) > 4
    (second := gap.top / "second").mkdir()
    for part in parts[2:]:
        part.rename(second / part.name)
    refused(
        gap.bring(1), 2, f"{len(parts) - 2} of {len(parts)} parts of tools-00000001 are missing: blobs.tar.zst.0003"
    )
    for part in parts[:2]:
        part.unlink()  # the first medium is out of the drive
    cut = second / parts[2].name
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-1])
    site = gap.top / "airgap.yaml"
    ways = ("verify", bundle, second, "--site", site, "--into", gap.quarantine)
    refused(gap.far(*ways), 2, f"{cut} has {len(whole) - 1:,} bytes, and {len(whole):,} were packed")
    cut.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    refused(gap.far(*ways), 2, f"{cut} is not the part that was signed")
    cut.write_bytes(whole)
    must(gap.far(*ways))
    must(gap.apply(1))
    assert contents(gap.tree / "current") == contents(gap.source)
    assert not (gap.quarantine / "tools-00000001/parts").exists()


def test_receipts_hold_only_for_what_was_packed(gap: Gap) -> None:
    must(gap.pack())
    receipt, signers = gap.top / "receipt.json", gap.top / "signers"
    gap.cross(1, "--receipt", receipt, "--key", gap.key("bob"))
    content = receipt.read_bytes()
    receipt.write_bytes(content.replace(b'"files":4', b'"files":5'))
    refused(gap.near("receipt", receipt, "--allowed-signers", signers), 4, "does not hold")
    receipt.write_bytes(content)
    must(gap.near("receipt", receipt, "--allowed-signers", signers))
    kept = gap.top / "near/airgap/manifests/tools-00000001.json"
    kept.unlink()
    refused(gap.near("receipt", receipt, "--allowed-signers", signers), 4, "tools-00000001 was not packed here")
    Path(f"{receipt}.sig").unlink()
    refused(gap.near("receipt", receipt, "--allowed-signers", signers), 4, "is not signed")


def test_the_bill_of_materials_names_every_file(gap: Gap) -> None:
    wheel = "w/PyYAML-6.0.2-cp312-cp312-manylinux_2_17_x86_64.whl"
    gap.write({"pool/zlib1g_1%3a1.3-2_arm64.deb": b"deb", wheel: b"whl"})
    must(gap.pack())
    text = zstandard.ZstdDecompressor().decompressobj().decompress((gap.packed(1) / BOM).read_bytes()).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = {component["bom-ref"]: component for component in json.loads(text)["components"]}
    assert found.keys() == {f"file:{path}" for path in contents(gap.source)}
    debian = found["file:pool/zlib1g_1%3a1.3-2_arm64.deb"]
    assert (debian["name"], debian["version"]) == ("zlib1g", "1:1.3-2")
    assert debian["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"deb").hexdigest()}]
    assert found[f"file:{wheel}"]["purl"] == "pkg:pypi/pyyaml@6.0.2"


def test_the_same_name_with_another_content_does_not_take_the_place_in_quarantine(gap: Gap) -> None:
    must(gap.pack())
    must(gap.bring(1))
    other = copied(gap.packed(1), gap.top / "other")
    forge(other, gap.key("alice"), lambda document: document.update(created_by="somebody else"))
    ran = gap.far("verify", other, "--site", gap.top / "airgap.yaml", "--into", gap.quarantine)
    refused(ran, 2, "holds another bundle of this name")


def test_what_cannot_be_carried_is_named(gap: Gap) -> None:
    (gap.source / "link").symlink_to("a/one.txt")
    refused(gap.pack(), 2, "link is neither a file nor a folder")
    (gap.source / "link").unlink()
    os.mkfifo(gap.source / "pipe")
    refused(gap.pack(), 2, "pipe is neither a file nor a folder")
    (gap.source / "pipe").unlink()
    (gap.source / "back\\slash").write_bytes(b"")
    refused(gap.pack(), 2, "cannot be carried: a path holds no backslash")
    (gap.source / "back\\slash").unlink()
    assert not (gap.top / "out").exists()
    inside = ("--stream", "tools", "--out", gap.source / "out")
    refused(gap.near("pack", gap.source, *inside), 2, "a bundle would carry the others")
    refused(
        gap.far("have", "--from", gap.top / "no", "--stream", "tools", "--out", gap.top / "h"), 2, "there is no folder"
    )


def test_a_key_that_cannot_sign_leaves_a_pack_that_goes_on(gap: Gap) -> None:
    ran = gap.near("pack", gap.source, "--stream", "tools", "--out", gap.top / "out", "--key", gap.top / "no-key")
    refused(ran, 2, "was not signed")
    assert "1 parts were there" in must(gap.pack()).stdout
    assert [path.name for path in (gap.top / "out").iterdir()] == ["tools-00000001"]


def test_parts_of_each_other_s_place_are_told(gap: Gap) -> None:
    gap.write({f"f{n}": hashlib.shake_256(bytes([n])).digest(600_000) for n in range(4)})
    must(gap.pack("--part-size", "1M"))
    one, two = (gap.packed(1) / f"blobs.tar.zst.000{n}" for n in (1, 2))
    one.rename(gap.top / "one")
    two.rename(one)
    (gap.top / "one").rename(two)
    refused(gap.bring(1), 2, "blobs.tar.zst.0001 ")
