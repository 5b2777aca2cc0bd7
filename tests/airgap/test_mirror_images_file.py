"""Images in mirror.yaml, and what clients are given of a snapshot of them."""

import tomllib
from pathlib import Path

import pytest

from sparkctl.airgap.templates import Templates
from sparkctl.app.mirror_file import examine
from sparkctl.app.mirror_kinds.images import Images, image_name
from sparkctl.model.mirror_images import ImagesMirror, ImagesServed, ImagesSite, PinnedImage, PlatformManifest
from sparkctl.resources import shipped

DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "mirror.yaml"
    text = "".join(f"    {line}\n" for line in lines)
    path.write_text(f"version: 1\nfolder: mirror\nimages:\n  serving:\n{text}")
    return path


def spec(path: Path) -> ImagesMirror:
    file, problems = examine(path)
    assert not problems
    assert file is not None
    found = file.mirrors["serving"].spec
    assert isinstance(found, ImagesMirror)
    return found


def test_what_an_entry_says(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text("{}")
    (tmp_path / "auth.json").chmod(0o600)
    path = written(
        tmp_path, f"images: [nvcr.io/nvidia/pytorch:25.09-py3, docker.io/library/redis@{DIGEST}]", "authfile: auth.json"
    )
    found = spec(path)
    assert [(one.registry, one.repository, one.tag, one.digest) for one in found.images] == [
        ("nvcr.io", "nvidia/pytorch", "25.09-py3", None),
        ("docker.io", "library/redis", None, DIGEST),
    ]
    assert found.platforms == ["linux/arm64"]
    assert found.authfile == str(tmp_path / "auth.json")
    assert spec(written(tmp_path, "images: quay.io/a/b:1", "platforms: all")).platforms == []
    both = spec(written(tmp_path, f"images: 'reg.example:5000/a:1@{DIGEST}'", "platforms: [linux/amd64, linux/arm64]"))
    assert (both.images[0].registry, both.images[0].tag, both.images[0].digest) == ("reg.example:5000", "1", DIGEST)


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        (["platforms: all"], 5, "`images` is missing"),
        (["images: redis:7"], 5, "must be as nvcr.io/nvidia/pytorch:25.09-py3"),
        (["images: library/redis:7"], 5, "must begin with its registry"),
        (["images: docker.io/redis:7"], 5, "must be as docker.io/library/redis:7"),
        (["images: quay.io/a/b"], 5, "must end with a tag or a digest"),
        (["images: quay.io/a/b@sha256:abc"], 5, "must be as"),
        (["images: https://quay.io/a/b:1"], 5, "must be as"),
        (["images: quay.io/A/b:1"], 5, "must be as"),
        (["images: quay.io/a/../b:1"], 5, "must be as"),
        (["images: 'quay.io/a/b:1 --debug'"], 5, "must be as"),
        (["images: [quay.io/a/b:1, quay.io/a/b:1]"], 5, "named twice"),
        (["images: [quay.io/a/b:1, ghcr.io/a/b:2]"], 5, "would be one repository of the site's registry"),
        (["images: quay.io/a/b:1", "platforms: [arm64]"], 6, "must be as linux/arm64"),
        (["images: quay.io/a/b:1", "platforms: [all, linux/arm64]"], 6, "stands beside others"),
        (["images: quay.io/a/b:1", "authfile: open.json"], 6, "chmod 600"),
        (["images: quay.io/a/b:1", "authfile: nowhere.json"], 6, "cannot be read"),
        (["images: quay.io/a/b:1", "ca: open.json"], 6, "must be certificates in PEM"),
        (["images: quay.io/a/b:1", "site: {ca: open.json}"], 6, "`registry` is missing"),
        (["images: quay.io/a/b:1", "site: {registry: 'https://x'}"], 6, "must be HOST or HOST:PORT"),
        (["images: quay.io/a/b:1", "site: {registry: x.example, by_registry: maybe}"], 6, "must be one of true, false"),
        (["images: quay.io/a/b:1", "insecure: true"], 6, "unknown key 'insecure'"),
    ],
)
def test_mistakes_are_told_with_line_and_key(tmp_path: Path, lines: list[str], line: int, words: str) -> None:
    (tmp_path / "open.json").write_text("{}")
    (tmp_path / "open.json").chmod(0o644)
    file, problems = examine(written(tmp_path, *lines))
    assert file is None
    assert problems[0].line == line
    assert words in problems[0].message


def test_images_of_two_registries_with_one_path_fit_below_the_names_of_these(tmp_path: Path) -> None:
    found = spec(
        written(
            tmp_path, "images: [quay.io/a/b:1, ghcr.io/a/b:2]", "site: {registry: 'x.example:5000', by_registry: true}"
        )
    )
    assert found.site == ImagesSite(registry="x.example:5000", ca=None, by_registry=True)


def served(site: ImagesSite | None, *, whole: bool = False) -> ImagesServed:
    return ImagesServed(
        platforms=["linux/arm64"],
        images=[
            PinnedImage(
                name=image_name("nvcr.io/nvidia/pytorch:1"),
                digest=DIGEST,
                whole=whole,
                manifests=[PlatformManifest(digest=OTHER, platform="linux/arm64")],
            )
        ],
        site=site,
    )


def test_containerd_asks_the_registry_of_the_site_as_a_seed_would_have_it() -> None:
    files = Images().client(served(ImagesSite(registry="x.example:5000", ca="PEM\n", by_registry=False)), "", "serving")
    hosts = files["etc/containerd/certs.d/nvcr.io/hosts.toml"]
    seed = Templates(shipped("cloud-init")).text(
        "hosts.toml.j2", registry={"host": "x.example:5000", "ca": "PEM\n"}, below=""
    )
    assert hosts == seed
    assert tomllib.loads(hosts) == {
        "host": {
            "https://x.example:5000": {
                "capabilities": ["pull", "resolve"],
                "ca": "/etc/containerd/certs.d/x.example:5000/ca.crt",
            }
        }
    }
    assert files["etc/containerd/certs.d/x.example:5000/ca.crt"] == "PEM\n"
    assert files["etc/docker/certs.d/x.example:5000/ca.crt"] == "PEM\n"


def test_below_the_name_of_a_registry_containerd_is_given_the_path() -> None:
    files = Images().client(served(ImagesSite(registry="x.example", ca=None, by_registry=True)), "", "serving")
    assert tomllib.loads(files["etc/containerd/certs.d/nvcr.io/hosts.toml"]) == {
        "host": {"https://x.example/v2/nvcr.io": {"capabilities": ["pull", "resolve"], "override_path": True}}
    }


def test_the_list_names_what_every_registry_has() -> None:
    site = ImagesSite(registry="x.example", ca=None, by_registry=False)
    lists = [
        Images().client(made, "", "serving")["usr/local/share/sparkctl/serving.images"].splitlines()[1:]
        for made in (served(site), served(site, whole=True), served(None))
    ]
    assert lists == [
        [f"{path}/nvidia/pytorch@{digest} linux/arm64 nvcr.io/nvidia/pytorch:1" for path in paths]
        for digest, paths in (
            (OTHER, ("nvcr.io", "x.example")),
            (DIGEST, ("nvcr.io", "x.example")),
            (OTHER, ("nvcr.io",)),
        )
    ]
