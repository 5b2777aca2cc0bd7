"""Every line of docs/mirrors.md, run in a shell with toy origins of every kind: what is written there happens."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sparkctl.resources import shipped
from tests.airgap.gaps import Gap
from tests.airgap.mirrors import require_tools
from tests.support.archive import Archive, GpgHome, build_package
from tests.support.command import program
from tests.support.hub import BACKEND, Hub
from tests.support.registries import Authority, Images, Registry, running
from tests.support.sshd import free_port
from tests.support.toy_lvfs import EC, Keys, Lvfs
from tests.support.web import configuration, nginx, served
from tests.support.wheelhouse import Index, build_wheel, lock_line

pytestmark = pytest.mark.slow
SUITES, COMPONENTS = ("noble", "noble-updates", "noble-security"), ("main", "restricted", "universe", "multiverse")


@dataclass(frozen=True)
class Sides:
    """The folders in which the lines of each side are run, with the keys of gpg that they see."""

    near: Path
    far: Path
    keys: GpgHome

    def shell(self, side: str, block: str) -> "subprocess.CompletedProcess[str]":
        place = self.far if side == "Far" else self.near
        environment = {
            "PATH": f"{program(place / 'bin').parent}:{os.environ['PATH']}", "HOME": str(place), "LANG": "C.UTF-8",
            "SPARKCTL_STATE": str(place / "state"), "GNUPGHOME": str(self.keys.folder if side == "Near" else place),
        }  # fmt: skip
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=place, env=environment, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Sides]:
    require_tools("aptly", "skopeo", "docker-registry", "jcat-tool", "gcab")
    if not BACKEND.exists():
        pytest.skip("NOT INSTALLED, and not tried with mirrors: git")
    near, far, www = tmp_path / "near", tmp_path / "far", tmp_path / "www"
    for folder in (near, far, www):
        folder.mkdir()
    keys = GpgHome()
    try:
        with ExitStack() as stack:
            example = origins(stack, near, www, keys)
            (near / "mirror.yaml").write_text(json.dumps(example))
            yours = {key: example[key] for key in ("version", "folder", "url", "rings", "soak", "pins")}
            (far / "mirror.yaml").write_text(json.dumps(yours))
            people(tmp_path, near, far)
            yield Sides(near, far, keys)
    finally:
        keys.close()


def origins(stack: ExitStack, near: Path, www: Path, keys: GpgHome) -> dict[str, Any]:
    """Serve toys in place of what the page names; its mirror.yaml with their addresses."""
    text = (shipped("docs") / "mirrors.md").read_text("utf-8")
    [block] = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    example: dict[str, Any] = yaml.safe_load(block)
    example["soak"] = "0s"
    url = stack.enter_context(served(www, www.parent / "nginx"))
    example["apt"]["ubuntu"]["uri"] = f"{url}/ubuntu-ports/"
    example["apt"]["cuda"] |= {"uri": f"{url}/cuda/", "sign_with": archives(near, www, keys)}
    lvfs = Lvfs(www / "lvfs", Keys(www.parent / "lvfs-keys", "LVFS"))
    lvfs.add("ec", EC, "1.2.3")
    lvfs.publish()
    example["firmware"]["lvfs"] |= {"metadata": f"{url}/lvfs/firmware.xml.zst", "trust": str(lvfs.keys.ca_file)}
    internet, site = registries(stack, www.parent)
    shutil.copy(internet.authority.ca, near / "site-ca.pem")
    serving = example["images"]["serving"]
    serving["images"] = [name.replace("nvcr.io", internet.host) for name in serving["images"]]
    serving |= {"ca": "site-ca.pem", "site": serving["site"] | {"registry": site.host}}
    wheel = build_wheel(www.parent / "wheels", "alpha")
    (near / "requirements.txt").write_text(lock_line(wheel))
    example["wheels"]["python"]["index"] = stack.enter_context(Index(wheel.parent)).url
    hub = stack.enter_context(Hub(www.parent / "hub"))
    [repository] = example["models"]["hub"]["repositories"]
    commit = hub.commit(repository, {"config.json": b"{}"}, {"model.safetensors": b"weights"})
    example["models"]["hub"] = {"endpoint": hub.url, "repositories": {repository: {"revision": commit}}}
    return example


def archives(near: Path, www: Path, keys: GpgHome) -> str:
    """A whole archive and a flat one; the fingerprint of the key of the site."""
    keys.make("owner")
    for ring in ("ubuntu", "cuda"):
        keys.public("owner", near / f"{ring}-archive-keyring.gpg")
    whole, flat = Archive(www / "ubuntu-ports", keys, "owner"), Archive(www / "cuda", keys, "owner")
    whole.add("tool", "1.0")
    for suite in SUITES:
        whole.sign(suite, COMPONENTS)
    flat.folder.mkdir()
    build_package(flat.folder, "cuda-toolkit-13-0", "13.0")
    flat.sign_flat()
    return keys.make("site")


def registries(stack: ExitStack, top: Path) -> tuple[Registry, Registry]:
    authority = Authority(top / "authority")
    internet, site = (stack.enter_context(running(top / name, authority)) for name in ("internet", "site-registry"))
    images = Images(top / "images")
    internet.take(images, images.image("torch", "linux/arm64", "linux/amd64"), "nvidia/pytorch:25.09-py3")
    return internet, site


def people(top: Path, near: Path, far: Path) -> None:
    """Keys and rules as `Across the air gap` has them."""
    gap = Gap(top)
    gap.allow({"alice": "alice", "bob": "bob"})
    shutil.copy(gap.rules(signatures=2), far)
    shutil.copy(top / "signers", far)
    for folder in (near, far):
        for name in ("alice", "bob"):
            shutil.copy(gap.key(name), folder)
            shutil.copy(gap.key(name).with_suffix(".pub"), folder)


def steps() -> list[tuple[str, str]]:
    """The side of each block of command lines, as its heading says, and the block."""
    text = (shipped("docs") / "mirrors.md").read_text("utf-8")
    parts = re.findall(r"^## \d+\. (Near|Far): .*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    sh = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [(side, block) for side, part in parts for block in sh.findall(part)]


def test_the_page_does_what_it_says(sides: Sides, tmp_path: Path) -> None:
    found = steps()
    assert [side for side, _ in found] == ["Near"] * 3 + ["Far"] * 5
    said = ""
    for side, block in found:
        if side == "Far" and not (sides.far / "usb").exists():
            shutil.copytree(sides.near / "out", sides.far / "usb")
        ran = sides.shell(side, block)
        assert ran.returncode == 0, f"{block}\n{ran.stdout}\n{ran.stderr}"
        said += ran.stdout
    for name in ("ubuntu", "cuda", "lvfs", "serving", "python", "hub"):
        assert (sides.far / "mirror/rings/fleet" / name).is_dir()
    client = {str(path.relative_to(sides.far / "client")) for path in (sides.far / "client").rglob("*")}
    assert {"etc/apt/sources.list.d/ubuntu.sources", "etc/pip.conf", "etc/default/huggingface"} <= client
    assert "nvidia/pytorch:25.09-py3" in said
    block = (sides.far / "mirrors.conf").read_text()
    assert "listen 80;" in block
    alone = re.sub(r"listen \[::\]:80;", "", block).replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    program = nginx()
    assert program is not None
    argv = [program, "-t", "-e", "stderr", "-c", str(configuration(tmp_path / "web", alone))]
    tried = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "syntax is ok" in tried.stderr, tried.stderr
