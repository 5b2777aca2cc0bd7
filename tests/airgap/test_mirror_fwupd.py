"""What a real fwupd, with the trust that it is shipped with, takes of what the site serves, and what it refuses."""

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors.firmware_metadata import cab_name
from sparkctl.app.mirror_kinds.firmware import Firmware
from sparkctl.model.mirror_firmware import METADATA, FirmwareServed
from tests.airgap.firmwares import Desk, Everybody, change, everybody
from tests.support import fwupd_node, toy_lvfs
from tests.support.fwupd_node import FwupdNode
from tests.support.toy_lvfs import WEBCAM, Keys, build_cab, digest, serving, signatures, write_signatures

MISSING = f"{toy_lvfs.missing()} {fwupd_node.missing()}".strip()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"NOT INSTALLED, and not tried with fwupd: {MISSING}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="whom fwupd lets install is asked of polkit, and root is let"),
]

REMOTE = "site-firmware"
DEVICE = "08d460be0f1f9f128413f816022a6439e0078018"
"""Of the webcam in fwupd's plugin for tests."""


class Site:
    """What the site serves, and a node that is set up for it."""

    def __init__(self, desk: Desk, web: Path, node: FwupdNode) -> None:
        self.desk, self.web, self.node = desk, web, node

    def serve(self, *cabs: Path) -> FirmwareServed:
        """Mirror, and serve what came of it; the node has nothing of before."""
        fetched = self.desk.fetch(*cabs)
        shutil.rmtree(self.web, ignore_errors=True)
        shutil.copytree(fetched.folder, self.web)
        assert isinstance(fetched.served, FirmwareServed)
        self.forget()
        return fetched.served

    def forget(self) -> None:
        """Have the node forget metadata."""
        assert self.node.manage("clean-remote", REMOTE)[0] == 0

    def refresh(self) -> tuple[int, str]:
        return self.node.manage("refresh", "--force")

    def offered(self) -> list[str]:
        """The versions that fwupd knows for the device."""
        answer = self.node.asked("get-releases", DEVICE)
        return [release["Version"] for release in answer.get("Releases", [])]

    def install(self, version: str) -> tuple[int, str]:
        words = ("install", DEVICE, version, "--allow-reinstall", "--allow-older", "--no-reboot-check", "--assume-yes")
        return self.node.manage(*words)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Everybody:
    return everybody(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def site(keys: Everybody, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    top = tmp_path_factory.mktemp("site")
    web = top / "web"
    node = FwupdNode(top / "node")
    with serving(top / "www") as origin, serving(web) as url:
        desk = Desk(top, keys, origin)
        desk.stock()
        fetched = desk.fetch()
        assert isinstance(fetched.served, FirmwareServed)
        node.give(Firmware().client(fetched.served, url, "lvfs"))
        node.give({"etc/pki/fwupd/LVFS-CA.pem": keys.lvfs.ca_file.read_text()})  # as fwupd ships that of LVFS
        node.start()
        try:
            yield Site(desk, web, node)
        finally:
            node.stop()


def sign(site: Site, keys: Keys) -> None:
    """Sign what is served."""
    (site.web / f"{METADATA}.jcat").unlink()
    keys.sign(site.web / f"{METADATA}.jcat", site.web / METADATA)


def replaced(site: Site, old: Path, new: Path) -> None:
    """Serve another cab in the place of one, in metadata that the site's own key signs."""
    text = gzip.decompress((site.web / METADATA).read_bytes()).decode()
    shutil.copy(new, site.web / cab_name(digest(new)))
    (site.web / METADATA).write_bytes(gzip.compress(text.replace(digest(old), digest(new)).encode()))
    sign(site, site.desk.keys.site)


def test_fwupd_takes_the_metadata_and_installs_with_the_trust_that_it_is_shipped_with(site: Site) -> None:
    site.serve()
    code, said = site.refresh()
    assert code == 0, said
    assert site.offered() == ["1.2.4", "1.2.3"]
    [release, _] = site.node.asked("get-releases", DEVICE)["Releases"]
    assert (release["RemoteId"], "trusted-metadata" in release["Flags"]) == (REMOTE, True)
    code, said = site.install("1.2.4")
    assert code == 0, said
    assert "Successfully installed firmware" in said
    remotes = {remote["Id"]: remote["Enabled"] for remote in site.node.asked("get-remotes")["Remotes"]}
    assert remotes == {"lvfs": False, REMOTE: True}
    told = "".join(path.read_text() for path in (site.node.folder / "etc/fwupd").rglob("*.conf"))
    assert "OnlyTrusted" not in told


def test_fwupd_refuses_one_changed_byte_of_the_metadata(site: Site) -> None:
    site.serve()
    change(site.web / METADATA)
    code, said = site.refresh()
    assert code != 0
    assert f"and got {digest(site.web / METADATA)}" in said
    signed = site.web / f"{METADATA}.jcat"
    document = signatures(signed)
    [checksum] = [blob for blob in document["Items"][0]["Blobs"] if blob["Kind"] == 1]
    checksum["Data"] = digest(site.web / METADATA)
    write_signatures(signed, document)
    code, said = site.refresh()
    assert code != 0
    assert "signatures were required, but none supplied" in said
    assert site.offered() == []


def test_fwupd_refuses_metadata_that_somebody_else_signed(site: Site) -> None:
    site.serve()
    sign(site, site.desk.keys.stranger)
    code, said = site.refresh()
    assert code != 0
    assert "signatures were required, but none supplied" in said
    assert site.offered() == []


def test_fwupd_refuses_a_cab_that_was_changed_after_the_metadata_was_signed(site: Site) -> None:
    site.serve()
    change(site.web / cab_name(digest(site.desk.lvfs.folder / "webcam-1.2.4.cab")))
    assert site.refresh()[0] == 0
    code, said = site.install("1.2.4")
    assert code != 0
    assert "hecksum" in said, said
    assert site.install("1.2.3")[0] == 0


def test_fwupd_refuses_a_cab_that_nobody_signed_even_where_its_digest_is_signed(site: Site, tmp_path: Path) -> None:
    site.serve()
    old = site.desk.lvfs.folder / "webcam-1.2.4.cab"
    for number, signer in enumerate((None, site.desk.keys.stranger)):
        bare = build_cab(tmp_path / f"{number}.cab", "webcam", WEBCAM, "1.2.4", signer)
        replaced(site, old, bare)
        site.forget()
        assert site.refresh()[0] == 0
        code, said = site.install("1.2.4")
        assert code != 0
        assert "signature missing or not trusted" in said
        old = bare


def test_fwupd_installs_a_cab_of_the_operator_that_the_site_signed(site: Site, tmp_path: Path) -> None:
    bare = build_cab(tmp_path / "bare.cab", "webcam", WEBCAM, "1.3.0", None)
    served = site.serve(bare)
    assert len(served.own) == 1
    assert "etc/pki/fwupd/site-firmware-CA.pem" in Firmware().client(served, "http://h/canary/lvfs", "lvfs")
    assert site.refresh()[0] == 0
    assert site.offered() == ["1.3.0", "1.2.4", "1.2.3"]
    code, said = site.install("1.3.0")
    assert code == 0, said


def test_fwupd_takes_no_older_metadata_until_it_forgets_the_newer(site: Site, tmp_path: Path) -> None:
    site.serve()
    shutil.copytree(site.web, tmp_path / "older")
    site.desk.lvfs.add("webcam", WEBCAM, "1.4.0")
    site.desk.lvfs.publish()
    site.serve()
    assert site.refresh()[0] == 0
    for path in (METADATA, f"{METADATA}.jcat"):
        shutil.copy(tmp_path / "older" / path, site.web / path)
    code, said = site.refresh()
    assert code != 0
    assert "seconds older" in said
    assert "1.4.0" in site.offered()
    site.forget()
    assert site.refresh()[0] == 0
    assert "1.4.0" not in site.offered()
