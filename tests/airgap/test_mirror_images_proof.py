"""Images in a folder: what is proven of them, and what a stranger cannot have us take for proven."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors.images_documents import document
from sparkctl.airgap.mirrors.images_layout import Layout, index_content
from sparkctl.airgap.mirrors.images_proof import prove
from sparkctl.airgap.mirrors.images_walk import walk
from sparkctl.airgap.mirrors.kind import Proven
from sparkctl.app.mirror_kinds.images import image_name
from sparkctl.errors import UsageError
from sparkctl.model.mirror_images import ImagesServed
from tests.support.registries import DOCKER, OCI, Entry, Images

ARM = ["linux/arm64"]
BOTH = ("linux/amd64", "linux/arm64")


def laid_out(images: Images, roots: dict[str, Entry], platforms: list[str] = ARM) -> ImagesServed:
    """What is served of a layout that has more than that, with the files that lead to it."""
    layout = Layout(images.folder)
    walked = [walk(image_name(name), root["digest"], platforms, layout) for name, root in sorted(roots.items())]
    (images.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (images.folder / "index.json").write_bytes(index_content([(one.image.name, one.root.descriptor) for one in walked]))
    return ImagesServed(platforms=platforms, images=[one.image for one in walked], site=None)


@pytest.fixture(params=["oci", "docker"])
def images(tmp_path: Path, request: pytest.FixtureRequest) -> Images:
    return Images(tmp_path / "layout", {"oci": OCI, "docker": DOCKER}[request.param])


def paths(proven: Proven) -> set[str]:
    return {file.path for file in proven.files}


def test_what_is_taken_is_what_the_pinned_digests_lead_to_for_the_platform(images: Images) -> None:
    root = images.image("one", *BOTH)
    arm = images.read(root)["manifests"][1]
    manifest = images.read(arm)
    served = laid_out(images, {"nvcr.io/nvidia/one:1": root})
    proven = prove(served, images.folder)
    wanted = [root, arm, manifest["config"], manifest["layers"][0]]
    assert paths(proven) == {"oci-layout", "index.json"} | {f"blobs/sha256/{one['digest'][7:]}" for one in wanted}
    assert dict(proven.counts) == {"images": 1, "indexes": 1, "manifests": 1, "configurations": 1, "layers": 1}
    assert not served.images[0].whole
    assert f"also names linux/amd64, which is not here: pull nvcr.io/nvidia/one@{arm['digest']}" in proven.left_out[0]
    assert proven.left_out[1].startswith("3 files")


def test_all_platforms_are_an_index_that_is_whole(images: Images) -> None:
    root = images.image("one", *BOTH, "unknown/unknown")
    served = laid_out(images, {"nvcr.io/nvidia/one:1": root}, [])
    proven = prove(served, images.folder)
    assert served.images[0].whole
    assert proven.counts["manifests"] == 3
    assert not proven.left_out


def test_layers_of_several_images_are_there_once(images: Images) -> None:
    shared, own = images.layer("shared"), images.layer("own")
    roots = {
        "quay.io/a/a:1": images.manifest("linux/arm64/v8", [shared]),
        "quay.io/a/a:2": images.manifest("linux/arm64", [shared, own]),
    }
    proven = prove(laid_out(images, roots), images.folder)
    assert (proven.counts["layers"], proven.counts["indexes"], proven.counts["manifests"]) == (2, 0, 2)


def test_layers_that_may_not_be_handed_on_are_named(images: Images) -> None:
    media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    away = {"mediaType": media_type, "digest": f"sha256:{'a' * 64}", "size": 7, "urls": ["https://example.net/x"]}
    root = images.manifest("linux/arm64", [images.layer("here"), away])
    proven = prove(laid_out(images, {"quay.io/a/a:1": root}), images.folder)
    assert "may not be handed on" in proven.left_out[0]
    assert proven.counts["layers"] == 1


def _changed_byte(images: Images, place: Path, root: Entry) -> None:
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)


def _cut(images: Images, place: Path, root: Entry) -> None:
    place.write_bytes(place.read_bytes()[:-1])


def _gone(images: Images, place: Path, root: Entry) -> None:
    place.unlink()


def _linked(images: Images, place: Path, root: Entry) -> None:
    place.rename(place.with_name("elsewhere"))
    place.symlink_to("elsewhere")


def _pipe(images: Images, place: Path, root: Entry) -> None:
    place.unlink()
    os.mkfifo(place)


@pytest.mark.parametrize("what", ["index", "manifest", "config", "layer"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_changed_byte, "is not"),
        (_cut, "is not"),
        (_gone, "is not there"),
        (_linked, "Too many levels of symbolic links"),
        (_pipe, "is not"),
    ],
)
def test_no_content_can_be_another(
    images: Images, what: str, change: Callable[[Images, Path, Entry], None], words: str
) -> None:
    root = images.image("one", *BOTH)
    arm = images.read(root)["manifests"][1]
    manifest = images.read(arm)
    entry = {"index": root, "manifest": arm, "config": manifest["config"], "layer": manifest["layers"][0]}[what]
    served = laid_out(images, {"quay.io/a/a:1": root})
    change(images, images.folder / "blobs/sha256" / entry["digest"][7:], root)
    with pytest.raises(UsageError, match=words) as refused:
        prove(served, images.folder)
    assert "\n" not in refused.value.message


def test_no_name_can_lead_to_the_image_of_another(images: Images) -> None:
    one, other = images.image("one", *BOTH), images.image("other", *BOTH)
    served = laid_out(images, {"quay.io/a/a:1": one, "quay.io/a/a:2": other})
    swapped = laid_out(images, {"quay.io/a/a:1": other, "quay.io/a/a:2": one})
    with pytest.raises(UsageError, match=r"index\.json is not what names the images"):
        prove(served, images.folder)
    prove(swapped, images.folder)
    blobs = images.folder / "blobs/sha256"
    laid_out(images, {"quay.io/a/a:1": one, "quay.io/a/a:2": other})
    (blobs / one["digest"][7:]).write_bytes((blobs / other["digest"][7:]).read_bytes())
    with pytest.raises(UsageError, match=f"quay.io/a/a:1 is not {one['digest']}: its digest is {other['digest']}"):
        prove(served, images.folder)


def test_a_snapshot_cannot_name_other_manifests_than_its_index(images: Images) -> None:
    root = images.image("one", *BOTH)
    served = laid_out(images, {"quay.io/a/a:1": root})
    image = served.images[0]
    amd = images.read(root)["manifests"][0]["digest"]
    for changed in (
        image.model_copy(update={"whole": True}),
        image.model_copy(update={"manifests": [image.manifests[0].model_copy(update={"digest": amd})]}),
        image.model_copy(update={"manifests": [image.manifests[0].model_copy(update={"platform": "linux/arm"})]}),
    ):
        with pytest.raises(UsageError, match="names other manifests"):
            prove(served.model_copy(update={"images": [changed]}), images.folder)


def test_a_digest_in_a_name_is_what_it_was_pinned_to(images: Images) -> None:
    one, other = images.image("one", *BOTH), images.image("other", *BOTH)
    served = laid_out(images, {f"quay.io/a/a@{one['digest']}": one})
    changed = walk(served.images[0].name, other["digest"], ARM, Layout(images.folder)).image
    with pytest.raises(UsageError, match="is not the digest in its name"):
        prove(served.model_copy(update={"images": [changed]}), images.folder)


def test_an_image_without_the_platform_is_refused(images: Images) -> None:
    for root in (images.image("one", "linux/amd64", "linux/s390x"), images.manifest("linux/amd64", [])):
        with pytest.raises(UsageError, match=r"quay.io/a/a:1 has no image for linux/arm64; it has linux/amd64"):
            laid_out(images, {"quay.io/a/a:1": root})
    with pytest.raises(UsageError, match="has no image for linux/riscv64"):
        laid_out(images, {"quay.io/a/a:1": images.image("one", *BOTH)}, ["linux/arm64", "linux/riscv64"])
    with pytest.raises(UsageError, match="has no image for linux/arm64/v9"):
        laid_out(images, {"quay.io/a/a:1": images.image("one", *BOTH)}, ["linux/arm64/v9"])


def test_a_configuration_of_another_platform_than_its_index_says_is_refused(images: Images) -> None:
    amd = images.manifest("linux/amd64", [images.layer("amd64")])
    amd["platform"] = {"os": "linux", "architecture": "arm64"}
    with pytest.raises(UsageError, match="is for linux/amd64, and its index says linux/arm64"):
        laid_out(images, {"quay.io/a/a:1": images.index([amd])})


def test_sizes_are_what_was_said(images: Images) -> None:
    layer = images.layer("one")
    layer["size"] += 1
    served = laid_out(images, {"quay.io/a/a:1": images.manifest("linux/arm64", [layer])})
    with pytest.raises(UsageError, match="bytes, where a manifest says"):
        prove(served, images.folder)
    arm = images.manifest("linux/arm64", [images.layer("two")])
    arm["size"] += 1
    with pytest.raises(UsageError, match="bytes, where its index says"):
        laid_out(images, {"quay.io/a/a:1": images.index([arm])})
    document = images.read(images.manifest("linux/arm64", [layer]))
    document["config"]["size"] += 1
    with pytest.raises(UsageError, match=r"the configuration of .* has another size than its manifest says"):
        laid_out(images, {"quay.io/a/a:1": images.document(document)})


GOOD = {
    "schemaVersion": 2,
    "mediaType": OCI["manifest"],
    "config": {"mediaType": OCI["config"], "digest": f"sha256:{'1' * 64}", "size": 2},
    "layers": [{"mediaType": OCI["layer"], "digest": f"sha256:{'2' * 64}", "size": 3}],
}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 100_000, "nested deeper"),
        (b'{"schemaVersion": 2, "schemaVersion": 2}', "stands twice"),
        (b"\xff", "not UTF-8"),
        (b"[]", "no JSON object"),
        (b" " * (4 * 2**20 + 1), "larger than 4 MiB"),
        (b'{"schemaVersion": 1}', "schema version 1"),
        (json.dumps(GOOD | {"mediaType": "application/vnd.docker.distribution.manifest.v1+json"}).encode(), "unknown"),
        (json.dumps(GOOD | {"mediaType": None}).encode(), "unknown media type"),
        (json.dumps(GOOD | {"manifests": []}).encode(), "index and a manifest at once"),
        (json.dumps(GOOD | {"mediaType": OCI["index"]}).encode(), "index and a manifest at once"),
        (json.dumps(GOOD | {"config": None}).encode(), "in no form that is known"),
        (json.dumps(GOOD | {"layers": {}}).encode(), "does not name 0 to 1,000"),
        (json.dumps(GOOD | {"layers": GOOD["layers"] * 1001}).encode(), "does not name 0 to 1,000"),  # type: ignore[operator]
        (json.dumps(GOOD | {"config": {"digest": "md5:1"}}).encode(), "no SHA-256 digest"),
        (json.dumps(GOOD | {"config": {"digest": f"sha256:../../{'1' * 58}"}}).encode(), "no SHA-256 digest"),
        (json.dumps(GOOD | {"config": {"digest": f"sha256:{'1' * 64}", "size": -1}}).encode(), "-1 bytes"),
        (json.dumps(GOOD | {"config": {"digest": f"sha256:{'1' * 64}", "size": 1e99}}).encode(), "bytes"),
        (
            json.dumps(GOOD | {"config": GOOD["layers"][0] | {"mediaType": "x/\x1b[31m"}}).encode(),  # type: ignore[index]
            "no container image",
        ),
        (
            json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": OCI["index"], "digest": f"sha256:{'1' * 64}",
                        "size": 1}]}).encode(),
            "which is no image",
        ),
    ],
)  # fmt: skip
def test_documents_of_strangers(content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        document(content, "quay.io/a/a:1")
    assert refused.value.message.isprintable()


def test_a_document_is_of_the_kind_that_it_is_referred_to_as() -> None:
    content = json.dumps(GOOD).encode()
    assert document(content, "it", OCI["manifest"]).layers[0].size == 3
    with pytest.raises(UsageError, match=r"is referred to as application/vnd\.docker"):
        document(content, "it", DOCKER["manifest"])
