"""Images from one registry to another over a gap: by skopeo and two registries of Debian's package, with TLS."""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from sparkctl.airgap.mirrors import skopeo
from sparkctl.app.airgap_files import utc_now
from sparkctl.app.mirror_take import take
from sparkctl.errors import RefusedError, UsageError
from tests.support.image_mirror import Mirror, arm_of
from tests.support.registries import DOCKER, OCI, Authority, Images, Registry, digest_of, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not here: apt-get install skopeo"),
    pytest.mark.skipif(
        not shutil.which("docker-registry"), reason="docker-registry is not here: apt-get install docker-registry"
    ),
]
SECRET = "secret-of-a-test"
BCRYPT = "$2b$04$abcdefghijklmnopqrstuuav7F1ATCiVa0W7qLTY.0M1N9a1Jx9eW"
BOTH = ("linux/amd64", "linux/arm64")


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    top = tmp_path_factory.mktemp("internet")
    with running(top / "registry", Authority(top / "ca")) as registry:
        yield registry


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    top = tmp_path_factory.mktemp("site")
    with running(top / "registry", Authority(top / "ca")) as registry:
        yield registry


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What skopeo notes of registries, it notes here; nobody's logins are used."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return Images(tmp_path / "maker")


@pytest.fixture
def mirror(tmp_path: Path, internet: Registry) -> Mirror:
    return Mirror(tmp_path, internet)


@pytest.mark.parametrize(
    "words", [pytest.param(DOCKER, id="docker"), pytest.param(OCI, id="oci", marks=pytest.mark.thorough)]
)
def test_an_image_is_mirrored_pushed_and_pulled_by_digest(
    mirror: Mirror, internet: Registry, site: Registry, tmp_path: Path, words: dict[str, str]
) -> None:
    images = Images(tmp_path / "maker", words)
    which = words["index"].count("docker")
    root = images.image(f"hello {which}", *BOTH)
    arm = arm_of(images, root)
    path = f"nvidia/hello{which}"
    internet.take(images, root, f"{path}:1")
    mirror.write(f"{path}:1")
    done = mirror.sync()
    assert done.snapshot.made_with == [skopeo.made_with()]
    assert done.snapshot.counts == {"images": 1, "indexes": 1, "manifests": 1, "configurations": 1, "layers": 1}

    far = Mirror(tmp_path / "far", internet)
    far.write(f"{path}:1")
    assert [taken.outcome for taken in take(far.shelf, mirror.shelf.folder / "snapshots", utc_now())] == ["taken"]
    pushed = far.push(site)
    assert (pushed.return_value, pushed.exception) == (0, None)
    assert f"{site.host}/{path}@{arm['digest']}\n" in pushed.output
    assert f"{site.host}/{path}:1 is {arm['digest']}" in pushed.output
    assert f"its index {root['digest']} is NOT THERE" in pushed.output

    site.pull(f"{path}@{arm['digest']}", tmp_path / "pulled")
    layer = images.read(arm)["layers"][0]["digest"][7:]
    assert (tmp_path / "pulled" / layer).read_bytes() == (images.folder / "blobs/sha256" / layer).read_bytes()
    assert site.raw(f"{path}:1") == site.raw(f"{path}@{arm['digest']}")
    # So containerd asks a mirror (its docs/hosts.md).
    assert digest_of(site.get(f"/v2/{path}/manifests/1?ns=nvcr.io", words["manifest"])) == arm["digest"]

    uploads = site.asked(f"POST /v2/{path}/blobs/uploads/")
    again = far.push(site, f"serving/{done.snapshot.stamp}")
    assert "all of it was there" in again.output
    assert uploads == site.asked(f"POST /v2/{path}/blobs/uploads/") == 2


def test_layers_of_any_form_are_carried_as_they_are(
    mirror: Mirror, internet: Registry, site: Registry, images: Images
) -> None:
    """Not compressed, zstd, and what a builder attests of an image: none is written anew, which would change it."""
    plain = images.blob(images.tar("plain"), "application/vnd.oci.image.layer.v1.tar")
    packed = images.blob(zstandard.compress(images.tar("packed")), "application/vnd.oci.image.layer.v1.tar+zstd")
    attested = images.blob(b'{"_type": "https://in-toto.io/Statement/v1"}', "application/vnd.in-toto+json")
    root = images.index(
        [
            images.manifest("linux/arm64", [plain, packed, images.layer("twice"), images.layer("twice")]),
            images.manifest("unknown/unknown", [attested]),
        ]
    )
    internet.take(images, root, "odd/odd:1")
    mirror.write("odd/odd:1", platforms="all")
    taken = {file.sha256 for file in mirror.sync().snapshot.files}
    assert {layer["digest"][7:] for layer in (plain, packed, attested)} <= taken
    assert f"{site.host}/odd/odd:1 is {root['digest']}" in mirror.push(site).output


def test_logins_come_from_a_file_and_are_told_to_nobody(tmp_path: Path, images: Images) -> None:
    """A registry that wants a login, which is the origin and, below another path, that of the site."""
    users = tmp_path / "users"
    users.write_text(f"ops:{BCRYPT}\n")
    logins = tmp_path / "auth.json"
    auth = {"htpasswd": {"realm": "test", "path": str(users)}}
    with running(tmp_path / "registry", Authority(tmp_path / "ca"), auth=auth) as private:
        logins.write_text(
            json.dumps({"auths": {private.host: {"auth": base64.b64encode(f"ops:{SECRET}".encode()).decode()}}})
        )
        logins.chmod(0o600)
        root = images.image("private", *BOTH)
        private.take(images, root, "nvidia/private:1", "--dest-authfile", str(logins))
        mirror = Mirror(tmp_path, private)
        mirror.write("nvidia/private:1")
        _refused(mirror, "unauthorized|authentication required")
        site = f"{{registry: '{private.host}', ca: {private.authority.ca}, by_registry: true}}"
        mirror.write("nvidia/private:1", authfile=str(logins), site=site)
        mirror.sync()
        pushed = mirror.push(private, "serving", "--authfile", str(logins))
        assert f"{private.host}/{private.host.replace(':', '-')}/nvidia/private@" in pushed.output
        assert pushed.return_value == 0
    told = [path for path in (tmp_path / "mirror").rglob("*") if path.is_file() and SECRET in path.read_text("latin-1")]
    assert not told
    assert SECRET not in pushed.output


def test_with_all_platforms_the_digest_of_the_index_is_pulled(
    mirror: Mirror, internet: Registry, site: Registry, images: Images, tmp_path: Path
) -> None:
    root = images.image("whole", *BOTH)
    internet.take(images, root, "nvidia/whole:1")
    mirror.write(f"nvidia/whole:1@{root['digest']}", platforms="all")
    mirror.sync()
    pushed = mirror.push(site)
    assert f"{site.host}/nvidia/whole:1 is {root['digest']}" in pushed.output
    site.pull(f"nvidia/whole@{root['digest']}", tmp_path / "pulled")
    assert site.raw("nvidia/whole:1") == site.raw(f"nvidia/whole@{root['digest']}")

    # A registry that has the index already takes one of which we bring a part.
    mirror.write("nvidia/whole:1")
    assert mirror.sync().fresh
    assert f"{site.host}/nvidia/whole@{root['digest']}" in mirror.push(site).output


def test_several_platforms_without_their_index_get_no_tag(
    mirror: Mirror, internet: Registry, site: Registry, images: Images
) -> None:
    internet.take(images, images.image("three", *BOTH, "linux/s390x"), "nvidia/three:1")
    mirror.write("nvidia/three:1", platforms="[linux/amd64, linux/arm64]")
    assert mirror.sync().snapshot.counts["manifests"] == 2
    pushed = mirror.push(site)
    assert pushed.return_value == 1
    assert "NOT TAGGED 1" in pushed.output


def test_a_tag_that_moved_is_a_new_snapshot_and_the_old_one_can_be_pushed_again(
    mirror: Mirror, internet: Registry, site: Registry, images: Images
) -> None:
    old, new = images.image("old", *BOTH), images.image("new", *BOTH)
    internet.take(images, old, "nvidia/moves:1")
    mirror.write("nvidia/moves:1")
    first = mirror.sync()
    brought = internet.asked("GET /v2/nvidia/moves/blobs/")
    assert not mirror.sync().fresh
    assert internet.asked("GET /v2/nvidia/moves/blobs/") == brought
    mirror.push(site)
    internet.take(images, new, "nvidia/moves:1")
    second = mirror.sync()
    assert second.fresh
    left = {path.name for path in (mirror.shelf.work("serving") / "layout/blobs/sha256").iterdir()}
    assert left == {file.sha256 for file in second.snapshot.files if file.path.startswith("blobs/")}
    assert mirror.shelf.stamps("serving") == [first.snapshot.stamp, second.snapshot.stamp]
    assert not list(mirror.shelf.damaged(first.snapshot))
    moved = mirror.push(site)
    was, now = arm_of(images, old)["digest"], arm_of(images, new)["digest"]
    assert f"{site.host}/nvidia/moves:1 is {now}, and was {was}" in moved.output
    site.raw(f"nvidia/moves@{was}")
    back = mirror.push(site, f"serving/{first.snapshot.stamp}")
    assert f"{site.host}/nvidia/moves:1 is {was}, and was {now}" in back.output


def test_plan_tells_what_it_costs_and_fetches_no_layer(mirror: Mirror, internet: Registry, images: Images) -> None:
    root = images.image("planned", *BOTH)
    internet.take(images, root, "nvidia/planned:1")
    file = mirror.write("nvidia/planned:1")
    arm = images.read(arm_of(images, root))
    planned = file.mirrors["serving"].kind.plan(file.mirrors["serving"].spec, file.folder / "work")
    parts = (root, arm_of(images, root), arm["config"], arm["layers"][0])
    assert planned.bytes == sum(part["size"] for part in parts)
    assert any("also names linux/amd64" in sentence for sentence in planned.not_covered)
    assert any("hosts.toml" in sentence for sentence in planned.not_covered)
    assert not internet.asked(f"GET /v2/nvidia/planned/blobs/{arm['layers'][0]['digest']}")


def test_a_killed_sync_goes_on_and_brings_no_layer_twice(
    mirror: Mirror, internet: Registry, images: Images, tmp_path: Path
) -> None:
    one, two = images.image("first", *BOTH), images.image("second", *BOTH)
    internet.take(images, one, "nvidia/goes-on:1")
    internet.take(images, two, "nvidia/goes-on:2")
    mirror.write("nvidia/goes-on:1", "nvidia/goes-on:2")
    tools, marker = tmp_path / "bin", tmp_path / "stuck"
    tools.mkdir()
    stub = f'case "$*" in copy*{arm_of(images, two)["digest"]}*) echo $$ > {marker}.new; mv {marker}.new {marker};'
    (tools / "skopeo").write_text(f'#!/bin/sh\n{stub} exec sleep 600;; esac\nexec {shutil.which("skopeo")} "$@"\n')
    (tools / "skopeo").chmod(0o755)
    words = [sys.executable, "-m", "sparkctl", "airgap", "mirror", "sync", str(mirror.path)]
    child = subprocess.Popen(words, env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"})
    while not marker.exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(marker.read_text()), signal.SIGKILL)
    assert mirror.shelf.mirrors() == []

    first = images.read(arm_of(images, one))["layers"][0]["digest"]
    blobs = mirror.shelf.work("serving") / "layout/blobs/sha256"
    assert (blobs / first[7:]).is_file()
    second = images.read(arm_of(images, two))["layers"][0]["digest"]
    (blobs / second[7:]).write_bytes(b"half of it")
    (blobs / "oci-put-blob1").write_bytes(b"left over")
    done = mirror.sync()
    assert done.snapshot.counts["layers"] == 2
    assert [internet.asked(f"GET /v2/nvidia/goes-on/blobs/{layer}") for layer in (first, second)] == [1, 1]
    assert not done.snapshot.left_out[2:]


def _refused(mirror: Mirror, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        mirror.sync()
    assert "\n" not in refused.value.message
    assert mirror.shelf.mirrors() == []


def test_an_image_that_is_not_there_is_refused(mirror: Mirror, internet: Registry) -> None:
    mirror.write("nvidia/nothing:1")
    _refused(mirror, r"nvidia/nothing:1 cannot be read from its registry: .*manifest unknown")
    mirror.write(f"nvidia/nothing@sha256:{'1' * 64}")
    _refused(mirror, "manifest unknown")


def test_an_image_for_other_machines_is_refused(mirror: Mirror, internet: Registry, images: Images) -> None:
    internet.take(images, images.image("amd", "linux/amd64"), "nvidia/amd:1")
    mirror.write("nvidia/amd:1")
    _refused(mirror, "nvidia/amd:1 has no image for linux/arm64; it has linux/amd64")


def test_a_registry_that_another_ca_signed_for_is_refused(
    mirror: Mirror, internet: Registry, site: Registry, images: Images, tmp_path: Path
) -> None:
    internet.take(images, images.image("ca", *BOTH), "nvidia/ca:1")
    mirror.write("nvidia/ca:1", ca=str(site.authority.ca))
    _refused(mirror, "x509: certificate signed by unknown authority")
    mirror.write("nvidia/ca:1")
    mirror.sync()
    pushed = mirror.push(site, "serving", "--ca", str(internet.authority.ca))
    assert isinstance(pushed.exception, UsageError)
    assert "x509: certificate signed by unknown authority" in pushed.exception.message


def test_a_registry_that_does_not_answer_is_refused(
    mirror: Mirror, tmp_path: Path, internet: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        away = Mirror(tmp_path, Registry(f"127.0.0.1:{silent.getsockname()[1]}", internet.log, internet.authority))
        away.write("nvidia/any:1")
        _refused(away, "connection refused")
        silent.listen()
        monkeypatch.setattr(skopeo, "ANSWER_S", 1.0)
        _refused(away, "cannot be read: skopeo did not end within 1 s")


def test_an_image_never_takes_the_place_of_that_of_another_registry(
    mirror: Mirror, internet: Registry, site: Registry, images: Images, tmp_path: Path
) -> None:
    internet.take(images, images.image("place", *BOTH), "nvidia/place:1")
    mirror.write("nvidia/place:1")
    mirror.sync()
    other = Mirror(
        tmp_path, Registry(internet.host.replace("localhost", "127.0.0.1"), internet.log, internet.authority)
    )
    other.write("nvidia/place:1", name="elsewhere")
    other.sync("elsewhere")
    pushed = mirror.push(site)
    assert isinstance(pushed.exception, RefusedError)
    assert re.search("localhost:[0-9]+/nvidia/place and 127.*/nvidia/place would be one", pushed.exception.message)
    assert not site.asked("/v2/nvidia/place/")


def test_what_was_changed_on_the_shelf_is_not_pushed(
    mirror: Mirror, internet: Registry, site: Registry, images: Images
) -> None:
    root = images.image("changed", *BOTH)
    internet.take(images, root, "nvidia/changed:1")
    mirror.write("nvidia/changed:1")
    done = mirror.sync()
    layer = done.folder / "blobs/sha256" / images.read(arm_of(images, root))["layers"][0]["digest"][7:]
    layer.chmod(0o644)
    layer.write_bytes(b"x" * layer.stat().st_size)
    pushed = mirror.push(site)
    assert isinstance(pushed.exception, UsageError)
    assert "is not what it was" in pushed.exception.message
    assert not site.asked("/v2/nvidia/changed/")


def test_what_skopeo_ends_with_is_not_believed(
    mirror: Mirror, internet: Registry, site: Registry, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A skopeo that does nothing and ends well, for the contents of an image, then for its index alone."""
    root = images.image("lost", *BOTH)
    internet.take(images, root, "nvidia/lost:1")
    mirror.write("nvidia/lost:1", platforms="all")
    mirror.sync()
    for idle, where in ((f"*copy*{root['digest']}", f"nvidia/lost@{root['digest']}"), ("*copy*", "nvidia/lost")):
        _idle_skopeo(tmp_path, monkeypatch, idle)
        pushed = mirror.push(site)
        assert isinstance(pushed.exception, UsageError)
        assert where in pushed.exception.message
        assert "is not there after it was pushed" in pushed.exception.message
    shutil.rmtree(mirror.shelf.work("serving"))
    with pytest.raises(UsageError, match="was not brought, 1 of its layers are missing"):
        mirror.sync()


def _idle_skopeo(folder: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    real = shutil.which("skopeo", path=os.defpath)
    (tools / "skopeo").write_text(f'#!/bin/sh\ncase "$*" in {words}) exit 0;; esac\nexec {real} "$@"\n')
    (tools / "skopeo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.defpath}")
