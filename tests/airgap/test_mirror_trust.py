"""Who vouches for a mirror: another one than before is told, and reaches no ring in passing."""

import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from sparkctl.airgap.mirrors.apt_proof import prove
from sparkctl.airgap.mirrors.firmware_ca import authority
from sparkctl.airgap.mirrors.openpgp import armoured, keyring
from sparkctl.airgap.mirrors.openpgp_keys import fingerprints
from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.app.mirror_file import mirror_file
from sparkctl.app.mirror_kinds.apt import Apt
from sparkctl.app.mirror_kinds.firmware import Firmware
from sparkctl.app.mirror_kinds.images import Images
from sparkctl.app.mirror_kinds.wheels import Wheels
from sparkctl.app.mirror_promote import promote
from sparkctl.app.mirror_shelf import named
from sparkctl.app.mirror_take import take
from sparkctl.app.mirror_trust import changes_of_trust
from sparkctl.errors import RefusedError
from sparkctl.model.mirror_apt import AptServed
from sparkctl.model.mirror_firmware import FirmwareServed
from sparkctl.model.mirror_images import ImageName, ImagesServed, ImagesSite, PinnedImage, PlatformManifest
from sparkctl.model.mirror_wheels import WheelsServed
from tests.support.snapshots import put_wheels

NOW = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OWNER = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEaw0v7hYJKwYBBAHaRw8BAQdAekKZNWZkUeYgnyAbvYyqcPwag82+qKxyBWWm
4DAWMYe0GU93bmVyIDxvd25lckBleGFtcGxlLm5ldD6IkAQTFggAOBYhBGiuHCmk
TCFOH5bjUGBLb5TRhoOKBQJrDS/uAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheA
AAoJEGBLb5TRhoOKSlUA/1HO0hT2mCcqTq3+/lEyKICmrIlJG1yWfqNozij+YSqU
AP0QK7HBlfmLc40TnPAJ+U13ptCxot8llHctzEnEIYrLA7gzBGsNL+4WCSsGAQQB
2kcPAQEHQGg24aP6IeURakyL9mMxL6Z5PW3VTdMLT9e8W1EtENrxiO8EGBYIACAW
IQRorhwppEwhTh+W41BgS2+U0YaDigUCaw0v7gIbAgCBCRBgS2+U0YaDinYgBBkW
CAAdFiEE3C5wrx32mco4NG6BkXmE4nK8csUFAmsNL+4ACgkQkXmE4nK8csUkSwEA
gbAIFKPdT4YefqLTzkf4nDjH8FpHu5HD8gyD5gEJ0pUA/1UnuZr4L4Blo3MYNLHn
eiHnTGYTTWxESwU2igxznoMMOIUBANypPQMuCwJsLGfwRUYjoE66DDWv6H4KUXW9
m/zBqdi5AP964IAU9URq1W4qDZiF3G7/cePBVa3tIlGUd9zze6pnBQ==
-----END PGP PUBLIC KEY BLOCK-----
"""
"""A key and one that belongs to it, both of which sign; their fingerprints as gpg 2.2 shows them."""
FINGERPRINTS = ["68AE1C29A44C214E1F96E350604B6F94D186838A", "DC2E70AF1DF699CA38346E81917984E272BC72C5"]


def test_every_key_of_a_keyring_is_known_by_its_fingerprint() -> None:
    assert fingerprints(OWNER) == FINGERPRINTS
    served = AptServed(suites=["noble"], components=["main"], architectures=["arm64"], key=OWNER)
    assert Apt().vouchers(served) == [f"the OpenPGP key {one}" for one in FINGERPRINTS]


@pytest.mark.parametrize("more", [b"\x98\x03\x04\x01", b"\x98\x00", b"\xc6\xe0\x04", b"\0"])
def test_a_keyring_that_cannot_be_read_is_known_by_all_of_it(more: bytes) -> None:
    [found] = fingerprints(armoured(keyring(OWNER) + more))
    assert found.startswith("sha256:")


@pytest.mark.parametrize("more", ["# a note\n", OWNER.replace("\n\n", "\nComment : x\n\n"), "\u0416\n"])
def test_a_key_with_something_around_it_is_refused(tmp_path: Path, more: str) -> None:
    """apt reads all of it; what we do not read as a key could be one to it."""
    served = AptServed(suites=["noble"], components=["main"], architectures=["arm64"], key=OWNER + more)
    with pytest.raises(RefusedError, match="is not one block of armour"):
        prove(served, tmp_path)


def test_certificates_of_firmware_and_the_registry_of_images_vouch() -> None:
    pair = authority("lab", NOW, 9)
    pem = pair.certificate_pem.decode("ascii")
    firmware = FirmwareServed(metadata="https://example.net/f.xml.gz", ca=pem, trust=pem, devices=[], own=[])
    digest = pair.certificate.fingerprint(hashes.SHA256()).hex()
    assert Firmware().vouchers(firmware) == [
        f"CN=lab firmware CA (for {whom}, SHA-256 {digest})" for whom in ("the site", "the origin")
    ]
    name = ImageName(registry="quay.io", repository="a/b", tag="1", digest=None)
    manifest = PlatformManifest(digest=f"sha256:{'a' * 64}", platform="linux/arm64")
    image = PinnedImage(name=name, digest=manifest.digest, whole=True, manifests=[manifest])
    for ca, words in ((None, "a public one"), ("x", hashlib.sha256(b"x").hexdigest())):
        site = ImagesSite(registry="registry.lab:5000", ca=ca, by_registry=False)
        images = ImagesServed(platforms=[], images=[image], site=site)
        assert Images().vouchers(images) == [f"the registry registry.lab:5000, CA: {words}"]


class Rings:
    """A ring that has a snapshot for which somebody vouches, and a newer one for which somebody else does."""

    def __init__(self, top: Path) -> None:
        path = top / "mirror.yaml"
        path.write_text("{version: 1, folder: mirror}")
        self.file = mirror_file(path)
        self.shelf = Shelf(self.file.folder)
        self.older = put_wheels(self.shelf, top / "made", NOW - 2 * DAY, glibc="2.38")
        self.promote(self.older)
        self.newer = put_wheels(self.shelf, top / "made", NOW - DAY, glibc="2.39")

    def promote(self, name: str, **how: bool) -> bool:
        made = named(self.shelf, name)
        return promote(self.file, self.shelf, made, "canary", by="ops", now=NOW, reason="as agreed", **how) is not None


@pytest.fixture
def rings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rings:
    def vouchers(_: Wheels, served: WheelsServed) -> list[str]:
        return [f"the key {served.glibc}"]

    monkeypatch.setattr(Wheels, "vouchers", vouchers)
    return Rings(tmp_path)


def test_no_reason_gives_a_ring_what_other_keys_vouch_for(rings: Rings) -> None:
    with pytest.raises(RefusedError) as caught:
        rings.promote(rings.newer)
    assert caught.value.message == (
        "wheels/20261130T000000Z is vouched for by the key 2.39, which wheels/20261129T000000Z was not; it is no longer"
        " vouched for by the key 2.38, as wheels/20261129T000000Z was"
    )
    assert rings.shelf.stamp_in("canary", "wheels") == "20261129T000000Z"
    assert rings.promote(rings.newer, new_trust=True)


def test_where_nobody_can_tell_it_takes_a_person_too(rings: Rings) -> None:
    shutil.rmtree(rings.shelf.place("wheels", "20261129T000000Z"))
    with pytest.raises(RefusedError, match="is gone: who vouched for it"):
        rings.promote(rings.newer)
    assert rings.promote(rings.newer, new_trust=True)


def test_taking_tells_of_it(rings: Rings, tmp_path: Path) -> None:
    other = Shelf(tmp_path / "other")
    taken = list(take(other, rings.shelf.folder / "snapshots", NOW))
    assert [list(one.trust) for one in taken] == [
        [],
        [
            "vouched for by the key 2.39, which wheels/20261129T000000Z was not",
            "no longer vouched for by the key 2.38, as wheels/20261129T000000Z was",
        ],
    ]


def test_a_mirror_that_becomes_one_of_another_kind_is_told(rings: Rings) -> None:
    newer, older = (named(rings.shelf, name) for name in (rings.newer, rings.older))
    apt = AptServed(suites=["noble"], components=["main"], architectures=["arm64"], key=OWNER)
    [told] = changes_of_trust(newer.model_copy(update={"served": apt}), older)
    assert told == "of the kind apt, where wheels/20261129T000000Z is of wheels"
