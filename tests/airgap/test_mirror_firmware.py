"""What a mirror of firmware brings and proves, and what it does not let pass."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from sparkctl.airgap.mirrors import firmware, firmware_cab
from sparkctl.airgap.mirrors.chain import loaded
from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.app.mirror_file import Mirrored, examine
from sparkctl.app.mirror_kinds.firmware import Firmware
from sparkctl.app.mirror_sync import sync
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.model.mirror_firmware import METADATA, OwnCab
from tests.airgap.firmwares import REAL_TOOLS, Desk, Everybody, change, everybody, names, refused, shop_in, stocked
from tests.support.toy_lvfs import (
    EC,
    WEBCAM,
    Keys,
    Lvfs,
    build_cab,
    digest,
    long_ago,
    serving,
    signatures,
    write_signatures,
)
from tests.support.web import nginx, served

pytestmark = REAL_TOOLS


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Everybody:
    return everybody(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def shop(keys: Everybody, tmp_path_factory: pytest.TempPathFactory) -> Lvfs:
    return shop_in(tmp_path_factory.mktemp("shop"), keys)


@pytest.fixture
def desk(shop: Lvfs, keys: Everybody, tmp_path: Path) -> Iterator[Desk]:
    with stocked(shop, keys, tmp_path) as made:
        yield made


def jcat(desk: Desk) -> Path:
    return desk.lvfs.folder / "firmware.xml.zst.jcat"


def test_what_is_planned_is_brought_and_proven(desk: Desk) -> None:
    planned = firmware.plan(desk.spec(devices=[WEBCAM, EC]), desk.work, datetime.now(UTC))
    cabs = [desk.lvfs.folder / f"webcam-{version}.cab" for version in ("1.2.3", "1.2.4")]
    assert planned.bytes == sum(cab.stat().st_size for cab in cabs)
    assert planned.counts == {"devices": 1, "components": 1, "releases": 2, "cabs": 2}
    assert [words.split(":")[0] for words in planned.not_covered][:1] == [EC]
    assert not list(desk.work.rglob("*.cab"))
    proven = desk.proven()
    wanted = {f"{digest(cab)}.cab" for cab in cabs} | {METADATA, f"{METADATA}.jcat"}
    wanted |= {"origin/firmware.xml.zst", "origin/firmware.xml.zst.jcat"}
    assert {file.path for file in proven.files} == wanted == names(desk.folder)
    assert all(digest(desk.folder / file.path) == file.sha256 for file in proven.files)
    assert proven.counts == {"components": 1, "releases": 2, "cabs": 2}
    assert proven.left_out == []
    assert "CN=Site firmware signing" in proven.proven_by[0]
    assert "CN=LVFS firmware signing" in proven.proven_by[1]
    assert proven.valid_until == desk.keys.site.signer.certificate.not_valid_after_utc
    assert set(proven.dated) == {"metadata of the origin", "metadata of the site"}


def test_without_news_nothing_is_signed_anew_and_what_is_gone_goes(desk: Desk) -> None:
    desk.fetch()
    before = {name: (desk.folder / name).read_bytes() for name in names(desk.folder)}
    desk.lvfs.add("other", "6de5d951-d755-576b-bd09-c5cf66b27234", "2.0.0")
    desk.lvfs.publish()
    desk.fetch()
    assert {name: (desk.folder / name).read_bytes() for name in names(desk.folder)} == before
    first = desk.proven().dated["metadata of the site"]
    desk.lvfs.add("webcam", WEBCAM, "1.2.5")
    desk.lvfs.publish()
    proven = desk.proven()
    assert proven.counts["releases"] == 3
    assert proven.dated["metadata of the site"] > first
    assert desk.proven(devices=[EC]).counts == {"components": 0, "releases": 0, "cabs": 0}
    assert not list(desk.folder.glob("*.cab"))


def test_another_certificate_of_the_site_signs_anew(desk: Desk, tmp_path: Path) -> None:
    desk.fetch()
    before = (desk.folder / f"{METADATA}.jcat").read_bytes()
    later = Keys(tmp_path / "later", "Later")
    desk.proven(sign_cert=later.certificate.read_text(), sign_key=str(later.key))
    assert (desk.folder / f"{METADATA}.jcat").read_bytes() != before


def swap_item(desk: Desk) -> None:
    document = signatures(jcat(desk))
    document["Items"].append(document["Items"][0])
    write_signatures(jcat(desk), document)


def unsigned(desk: Desk) -> None:
    document = signatures(jcat(desk))
    blobs = document["Items"][0]["Blobs"]
    document["Items"][0]["Blobs"] = [blob for blob in blobs if blob["Kind"] != 3]
    write_signatures(jcat(desk), document)


def expired(desk: Desk) -> None:
    ended = Keys(desk.top / "ended", "Ended", at=long_ago(30), days=20)
    desk.keys.lvfs.ca_file.read_text()
    desk.lvfs.publish(keys=ended)


ORIGIN: dict[str, tuple[Callable[[Desk], object], type[SparkctlError], str]] = {
    "a byte of the metadata was changed": (
        lambda desk: change(desk.lvfs.folder / "firmware.xml.zst"), RefusedError,
        "is refused: the signature is not of this file: one of them was changed",
    ),
    "somebody else signed it": (
        lambda desk: desk.lvfs.publish(keys=desk.keys.stranger), RefusedError,
        "is refused: the signature is of CN=Stranger firmware signing",
    ),
    "nobody signed it": (
        unsigned, RefusedError, "is refused: the signature is missing: there is no PKCS#7 in it",
    ),
    "there are no signatures": (lambda desk: jcat(desk).unlink(), UsageError, "firmware.xml.zst.jcat was not fetched"),
    "signatures are something else": (
        lambda desk: jcat(desk).write_bytes(b"x"), RefusedError, "what is beside it is no file of signatures",
    ),
    "signatures are of two files": (swap_item, RefusedError, "its signatures are of 2 files"),
    "a cab is not what the metadata names": (
        lambda desk: change(desk.lvfs.folder / "webcam-1.2.4.cab"), UsageError, "its digest is another",
    ),
    "a cab is cut": (
        lambda desk: os.truncate(desk.lvfs.folder / "webcam-1.2.4.cab", 1000), UsageError, "its digest is another",
    ),
    "a cab is gone": (
        lambda desk: (desk.lvfs.folder / "webcam-1.2.4.cab").unlink(), UsageError, "webcam-1.2.4.cab was not fetched",
    ),
    "the metadata has entities": (
        lambda desk: desk.lvfs.publish(extra='<!DOCTYPE x [<!ENTITY a "b">]>'), UsageError, "has a document type",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ORIGIN)
def test_an_origin_that_is_not_as_it_should_be_is_refused(desk: Desk, name: str) -> None:
    harm, kind, words = ORIGIN[name]
    harm(desk)
    refused(kind, words, desk.fetch)
    assert not (desk.folder / METADATA).exists()


def test_what_an_ended_certificate_signed_is_refused(desk: Desk, tmp_path: Path) -> None:
    ended = Keys(tmp_path / "ended", "Ended", at=long_ago(30), days=20)
    desk.lvfs.publish(keys=ended)
    words = refused(RefusedError, "is valid from", lambda: desk.fetch(trust=ended.ca_file.read_text()))
    assert "and not on" in words
    desk.lvfs.publish()
    how = {"sign_cert": ended.certificate.read_text(), "sign_key": str(ended.key)}
    refused(RefusedError, "the site's certificate CN=Ended firmware signing", lambda: desk.fetch(**how))


def test_a_key_that_is_not_fit_signs_nothing(desk: Desk, tmp_path: Path) -> None:
    def key(content: bytes, mode: int = 0o600) -> Callable[[], object]:
        path = tmp_path / "a.key"
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        return lambda: desk.fetch(sign_key=str(path))

    good = desk.keys.site.key.read_bytes()
    locked = desk.keys.site.signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    refused(RefusedError, "may be read by others", key(good, 0o640))
    refused(UsageError, "is not that of the certificate in `sign_cert`", key(desk.keys.stranger.key.read_bytes()))
    refused(UsageError, "has a passphrase", key(locked))
    refused(UsageError, "is no private key in PEM", key(b"hello"))
    refused(UsageError, "cannot be read: No such file", lambda: desk.fetch(sign_key="/nowhere/a.key"))
    logged = "".join(path.read_text() for path in desk.work.glob("*.log"))
    assert "PRIVATE" not in logged


def test_a_cab_that_fwupd_would_refuse_is_left_out_and_told(desk: Desk) -> None:
    desk.lvfs.add("webcam", WEBCAM, "1.2.5", signed=False)
    desk.lvfs.add("webcam", WEBCAM, "1.2.6", keys=desk.keys.stranger)
    desk.lvfs.publish()
    proven = desk.proven()
    assert proven.counts["cabs"] == 2
    why = "no payload signature in its cab that fwupd would take"
    assert proven.left_out == [f"com.example.webcam.firmware 1.2.{minor}: {why}" for minor in (6, 5)]


def test_cabs_of_the_operator_are_served_signed(desk: Desk, tmp_path: Path) -> None:
    bare = build_cab(tmp_path / "bare.cab", "ec", EC, "3.5.8", None)
    theirs = build_cab(tmp_path / "theirs.cab", "cx", EC, "1.0.0", desk.keys.lvfs)
    proven = desk.proven(bare, theirs, devices=[])
    assert proven.counts == {"components": 2, "releases": 2, "cabs": 2}
    assert (desk.folder / f"{digest(theirs)}.cab").read_bytes() == theirs.read_bytes()
    [signed] = [path for path in desk.folder.glob("*.cab") if path.stem != digest(theirs)]
    made, before = firmware_cab.read(signed), firmware_cab.read(bare)
    assert {name: made.files[name] for name in before.files} == dict(before.files)
    made.require_signed(list(made.names()), loaded(desk.keys.site.ca_file.read_text()))
    again = {path.name: path.read_bytes() for path in desk.folder.glob("*.cab")}
    desk.fetch(bare, theirs, devices=[])
    assert {path.name: path.read_bytes() for path in desk.folder.glob("*.cab")} == again
    covered = firmware.plan(desk.spec(bare, devices=[EC]), desk.work, datetime.now(UTC))
    assert covered.not_covered == []
    wrong = [OwnCab(file=str(bare), sha256="0" * 64)]
    refused(UsageError, "is not what was named", lambda: desk.fetch(cabs=wrong))
    bare.write_bytes(b"no cab")
    refused(UsageError, "is no cab", lambda: desk.fetch(bare))


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_an_origin_that_goes_back_is_refused(keys: Everybody, tmp_path: Path) -> None:
    early = Keys(tmp_path / "early", "Early", at=long_ago(9))
    (tmp_path / "old").mkdir()
    with serving(tmp_path / "www") as url:
        desk = Desk(tmp_path, Everybody(early, keys.site, keys.stranger), url)
        shelf = Shelf(tmp_path / "mirror")
        mirrored = Mirrored("lvfs", "firmware", Firmware(), desk.spec())
        shown = (desk.lvfs.folder / "firmware.xml.zst", jcat(desk))
        desk.stock()
        signed_days_ago(3, desk)
        for path in shown:
            shutil.copy(path, tmp_path / "old")
        desk.lvfs.add("webcam", WEBCAM, "1.2.5")
        desk.lvfs.publish()
        signed_days_ago(1, desk)
        assert sync(shelf, mirrored, datetime.now(UTC)).fresh
        for path in shown:
            shutil.copy(tmp_path / "old" / path.name, path)
        refused(RefusedError, "older than what it was before", lambda: sync(shelf, mirrored, datetime.now(UTC)))
        shutil.rmtree(shelf.work("lvfs"))
        said = refused(RefusedError, "older than in lvfs/", lambda: sync(shelf, mirrored, datetime.now(UTC)))
        assert said.startswith("metadata of the origin of lvfs is of")


def signed_days_ago(days: int, desk: Desk) -> None:
    """Sign the metadata as it stands with a clock that goes after."""
    jcat(desk).unlink()
    files, keys = [str(jcat(desk)), str(desk.lvfs.folder / "firmware.xml.zst")], desk.keys.lvfs
    by = [str(keys.certificate), str(keys.key)]
    for words in (["--kind", "sha256", "self-sign", *files], ["sign", *files, *by]):
        subprocess.run(["faketime", f"{days} days ago", "jcat-tool", "--basename", *words], check=True)


@pytest.mark.skipif(nginx() is None, reason="nginx is not installed")
def test_a_fetch_that_was_killed_goes_on(keys: Everybody, tmp_path: Path) -> None:
    desk = Desk(tmp_path, keys, "http://127.0.0.1:1")
    large = desk.lvfs.add("webcam", WEBCAM, "1.2.3", bulk=3 * 2**20)
    desk.lvfs.add("webcam", WEBCAM, "1.2.4")  # the newest is named first, and fetched first
    desk.lvfs.publish()
    partial = desk.folder / f".{digest(large)}.cab.part"
    limits = "limit_rate 400k; limit_rate_after 900k;"
    with served(desk.lvfs.folder, tmp_path / "nginx", limits) as url:
        program = (
            "import sys, datetime, pathlib; from sparkctl.airgap.mirrors import firmware; "
            "from sparkctl.model.mirror_firmware import FirmwareMirror; "
            "firmware.fetch(FirmwareMirror.model_validate_json(sys.stdin.read()), pathlib.Path(sys.argv[1]), "
            "datetime.datetime.now(datetime.UTC))"
        )
        spec = desk.spec(metadata=f"{url}/firmware.xml.zst")
        child = subprocess.Popen([sys.executable, "-c", program, str(desk.work)], stdin=subprocess.PIPE)
        assert child.stdin is not None
        child.stdin.write(spec.model_dump_json().encode())
        child.stdin.close()
        while not partial.exists() or partial.stat().st_size < 500_000:
            assert child.poll() is None
        child.kill()
        child.wait()
        there = partial.stat().st_size
    assert 500_000 <= there < large.stat().st_size
    assert not (desk.folder / METADATA).exists()
    log = tmp_path / "nginx/access.log"
    log.unlink()
    with served(desk.lvfs.folder, tmp_path / "nginx") as url:
        assert desk.proven(metadata=f"{url}/firmware.xml.zst").counts["cabs"] == 2
    asked = log.read_text()
    assert '/webcam-1.2.3.cab HTTP/1.1" 206' in asked
    assert "/webcam-1.2.4.cab" not in asked


def test_an_entry_of_mirror_yaml_is_read_strictly(keys: Everybody, tmp_path: Path) -> None:
    for path in (keys.lvfs.ca_file, keys.site.certificate, keys.site.ca_file):
        shutil.copy(path, tmp_path / f"{path.parent.name}-{path.name}")
    good: dict[str, Any] = {
        "metadata": "https://h/firmware.xml.zst", "trust": "LVFS-ca.pem", "devices": [WEBCAM.upper()],
        "sign_cert": "Site-sign.pem", "sign_key": "keys/site.key",
        "cabs": {"ec": {"file": "local/ec.cab", "sha256": "a" * 64}},
    }  # fmt: skip

    def said(**other: Any) -> list[str]:
        entry = {key: value for key, value in (good | other).items() if value is not None}
        (tmp_path / "mirror.yaml").write_text(
            json.dumps({"version": 1, "folder": "mirror", "firmware": {"lvfs": entry}}, indent=1)
        )
        found, problems = examine(tmp_path / "mirror.yaml")
        if found is not None:
            spec: Any = found.mirrors["lvfs"].spec
            assert (spec.devices, spec.sign_key) == ([WEBCAM], str(tmp_path / "keys/site.key"))
            assert spec.cabs == [OwnCab(file=str(tmp_path / "local/ec.cab"), sha256="a" * 64)]
        return [problem.message for problem in problems]

    assert said() == []
    for other, words in (
        ({"metadata": None}, "`metadata` is missing"),
        ({"metadata": "https://h/firmware.xml"}, "must be the address of a file .xml.gz, .xml.xz or .xml.zst"),
        ({"metadata": "file:///x.xml.gz"}, "must be http(s)://HOST/PATH"),
        ({"trust": None}, "`trust` is missing"),
        ({"trust": "nothing.pem"}, "must be a file that is there"),
        ({"devices": ["webcam"]}, "must be a GUID"),
        ({"devices": None, "cabs": None}, "it has neither `devices` nor `cabs`"),
        ({"cabs": {"ec": {"file": "x.cab"}}}, "`sha256` is missing"),
        ({"sign_cert": "Site-ca.pem"}, "and, after it, that of its CA"),
        ({"sign_key": None}, "`sign_key` is missing"),
        ({"only_trusted": False}, "unknown key 'only_trusted'"),
    ):
        assert any(words in message for message in said(**other)), (words, said(**other))
