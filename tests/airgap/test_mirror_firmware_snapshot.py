"""What a snapshot of firmware proves by itself, what was changed in one, and how commands bring it to a client."""

import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors.firmware_proof import prove
from sparkctl.airgap.mirrors.kind import Fetched
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.model.mirror_firmware import METADATA, FirmwareServed
from tests.airgap.firmwares import (
    REAL_TOOLS,
    Desk,
    Everybody,
    change,
    copied,
    everybody,
    names,
    refused,
    shop_in,
    stocked,
)
from tests.support.command import sparkctl
from tests.support.toy_lvfs import EC, WEBCAM, Keys, Lvfs, build_cab, digest

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


def a_cab(folder: Path) -> Path:
    return next(folder.glob("*.cab"))


def resigned(folder: Path, keys: Keys) -> None:
    (folder / f"{METADATA}.jcat").unlink()
    keys.sign(folder / f"{METADATA}.jcat", folder / METADATA)


def another_cab(desk: Desk, folder: Path) -> None:
    """The site's own key signs metadata of a cab that neither the origin nor the operator named."""
    cab = build_cab(desk.top / "evil.cab", "webcam", WEBCAM, "9.9.9", desk.keys.site)
    text = (folder / METADATA).read_bytes()
    old = next(folder.glob("*.cab"))
    changed = gzip.decompress(text).decode().replace(old.stem, digest(cab))
    changed = changed.replace(f">{old.stat().st_size}<", f">{cab.stat().st_size}<")
    (folder / METADATA).write_bytes(gzip.compress(changed.encode()))
    shutil.copy(cab, folder / f"{digest(cab)}.cab")
    resigned(folder, desk.keys.site)


def of_another_device(desk: Desk, folder: Path) -> None:
    """The site's own key signs a cab of the origin for a device that it was not named for."""
    changed = gzip.decompress((folder / METADATA).read_bytes()).replace(WEBCAM.encode(), EC.encode())
    (folder / METADATA).write_bytes(gzip.compress(changed))
    resigned(folder, desk.keys.site)


def without_payload_signature(desk: Desk, folder: Path) -> None:
    """The site's own key signs metadata with a cab of the origin in which the payload is not signed."""
    bare = next(path for path in (desk.top / "www").glob("*.cab") if "9.9.9" in path.name)
    old = a_cab(folder)
    changed = gzip.decompress((folder / METADATA).read_bytes()).decode().replace(old.stem, digest(bare))
    changed = changed.replace(f">{old.stat().st_size}<", f">{bare.stat().st_size}<")
    (folder / METADATA).write_bytes(gzip.compress(changed.encode()))
    shutil.copy(bare, folder / f"{digest(bare)}.cab")
    resigned(folder, desk.keys.site)


def another_place(desk: Desk, folder: Path) -> None:
    """The site's own key signs metadata by which clients would fetch a cab from elsewhere."""
    text = gzip.decompress((folder / METADATA).read_bytes()).decode()
    changed = text.replace("<location>", "<location>https://evil.example/", 1)
    assert changed != text
    (folder / METADATA).write_bytes(gzip.compress(changed.encode()))
    resigned(folder, desk.keys.site)


def a_link(desk: Desk, folder: Path) -> None:
    cab = next(folder.glob("*.cab"))
    shutil.copy(cab, desk.top / "elsewhere")
    cab.unlink()
    cab.symlink_to(desk.top / "elsewhere")


SNAPSHOT: dict[str, tuple[Callable[[Desk, Path], object], type[SparkctlError], str]] = {
    "a byte of the metadata": (
        lambda _, folder: change(folder / METADATA), RefusedError, "is refused: the signature is not of this file",
    ),
    "another CA": (
        lambda desk, folder: resigned(folder, desk.keys.stranger), RefusedError, "of CN=Stranger firmware signing",
    ),
    "no signature": (
        lambda _, folder: (folder / f"{METADATA}.jcat").unlink(), RefusedError, "there is no signature beside it",
    ),
    "no metadata": (lambda _, folder: (folder / METADATA).unlink(), UsageError, f"there is no {METADATA}"),
    "a byte of what the origin signed": (
        lambda _, folder: change(folder / "origin/firmware.xml.zst"), RefusedError, "firmware.xml.zst is refused",
    ),
    "a byte of a cab": (
        lambda _, folder: change(a_cab(folder)), UsageError, "is not what was named: its SHA-256 is",
    ),
    "a cab is cut": (
        lambda _, folder: os.truncate(a_cab(folder), 900), UsageError, "has 900 bytes, where",
    ),
    "a cab is gone": (
        lambda _, folder: a_cab(folder).unlink(), UsageError, "is not there: ",
    ),
    "a link for a cab": (a_link, UsageError, "Too many levels of symbolic links"),
    "a cab of another device": (of_another_device, RefusedError, "neither the origin nor the operator named"),
    "a cab without payload signature": (without_payload_signature, RefusedError, "has no signature of firmware.bin"),
    "a cab in another place": (another_place, RefusedError, "that is not here by its digest"),
    "a cab that nobody named": (another_cab, RefusedError, "neither the origin nor the operator named"),
}  # fmt: skip


@pytest.fixture(scope="module")
def brought(shop: Lvfs, keys: Everybody, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Fetched]]:
    """What was fetched of an origin that also has a cab without a signature."""
    with stocked(shop, keys, tmp_path_factory.mktemp("brought")) as made:
        made.lvfs.add("webcam", WEBCAM, "9.9.9", signed=False)
        made.lvfs.publish()
        yield made, made.fetch()


@pytest.mark.parametrize("name", SNAPSHOT)
def test_a_snapshot_that_was_changed_is_refused(brought: tuple[Desk, Fetched], tmp_path: Path, name: str) -> None:
    desk, fetched = brought
    harm, kind, words = SNAPSHOT[name]
    folder = copied(fetched.folder, tmp_path / "far")
    harm(desk, folder)
    assert isinstance(fetched.served, FirmwareServed)
    refused(kind, words, lambda: prove(fetched.served, folder))  # type: ignore[arg-type]


def test_the_far_side_proves_with_no_tool_and_takes_nothing_else(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = desk.fetch()
    far = copied(fetched.folder, tmp_path / "far")
    (far / "strange.sh").write_text("x")
    (far / "origin/link").symlink_to("/etc/passwd")
    monkeypatch.setenv("PATH", "")
    assert isinstance(fetched.served, FirmwareServed)
    proven = prove(fetched.served, far)
    assert {file.path for file in proven.files} == names(fetched.folder)
    assert proven.left_out == ["2 files that no signed metadata names"]


def test_the_commands_bring_it_to_a_ring_and_to_a_client(desk: Desk, tmp_path: Path) -> None:
    keys = desk.keys
    entry = {
        "metadata": f"{desk.url}/firmware.xml.zst", "trust": str(keys.lvfs.ca_file), "devices": [WEBCAM, EC],
        "sign_cert": str(keys.site.certificate), "sign_key": str(keys.site.key),
    }  # fmt: skip
    file, far = tmp_path / "mirror.yaml", tmp_path / "far/mirror.yaml"
    settings = {"version": 1, "folder": "mirror", "url": "http://mirror.lab"}
    file.write_text(json.dumps(settings | {"firmware": {"lvfs": entry}}))
    far.parent.mkdir()
    far.write_text(json.dumps(settings))

    def said(verb: str, *arguments: str | Path) -> str:
        ran = sparkctl("airgap", "mirror", verb, *arguments, "--format", "human", home=tmp_path)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    said("check", file)
    assert f"NOT COVERED: {EC}: the metadata has no firmware" in said("plan", file)
    said("sync", file)
    [snapshot] = (tmp_path / "mirror/snapshots/lvfs").iterdir()
    stream = tmp_path / "stream/lvfs"
    stream.mkdir(parents=True)
    shutil.copytree(snapshot, stream / snapshot.name)
    said("take", far, stream.parent)
    said("promote", far, "lvfs", "--ring", "canary")
    said("client", far, "--ring", "canary", "--out", tmp_path / "client")
    tree = {path.relative_to(tmp_path / "client").as_posix(): path.read_text() for path in files(tmp_path / "client")}
    assert sorted(tree) == [
        "etc/fwupd/remotes.d/site-firmware.conf", "etc/pki/fwupd-metadata/site-firmware-CA.pem",
        "var/lib/fwupd/remotes.d/lvfs.conf",
    ]  # fmt: skip
    remote = tree["etc/fwupd/remotes.d/site-firmware.conf"]
    assert f"MetadataURI=http://mirror.lab/canary/lvfs/{METADATA}\n" in remote
    assert tree["etc/pki/fwupd-metadata/site-firmware-CA.pem"] == keys.site.ca_file.read_text()
    assert "OnlyTrusted" not in "".join(tree.values())
    (served,) = (tmp_path / "far/mirror/rings/canary").iterdir()
    assert (served / METADATA).read_bytes() == (snapshot / METADATA).read_bytes()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
