"""`sparkctl airgap seed` with the real tools: what it makes is read back by those that will read it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from sparkctl.contract.outside import complaints
from tests.support.command import json_lines
from tests.support.seeds import SERIAL, make_site, seed

TOOLS = ("cloud-init", "xorriso", "mformat", "mke2fs", "debugfs")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(shutil.which(tool, path=PATH) for tool in TOOLS), reason="install what `make system` installs"
    ),
]


def run(*command: str | Path) -> str:
    ran = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, env={**os.environ, "PATH": PATH}
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeds, made twice."""
    folder = make_site(tmp_path_factory.mktemp("made"))
    for out in ("seeds", "again"):
        ran = seed(folder, out)
        assert ran.returncode == 0, ran.stderr
        (report,) = json_lines(ran)
        assert report["nodes"] == ["spark01", "spark02"]
        assert report["checked_by"].startswith("cloud-init ")
        assert report["images"] is True
        assert report["manifest_sha256"] == hashlib.sha256((folder / out / "manifest.json").read_bytes()).hexdigest()
    return folder


def test_the_same_inputs_give_the_same_bytes(made: Path) -> None:
    trees = [
        {str(path.relative_to(made / out)): path.read_bytes() for path in (made / out).rglob("*") if path.is_file()}
        for out in ("seeds", "again")
    ]
    assert trees[0].keys() == trees[1].keys()
    assert [name for name in trees[0] if trees[0][name] != trees[1][name]] == []


def test_nobody_else_may_read_it_and_nothing_is_left_beside(made: Path) -> None:
    for path in [made / "seeds", *(made / "seeds").rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert (made / "state" / "seed-enrolment.key").stat().st_mode & 0o777 == 0o600
    assert list(made.glob("sparkctl-tree-*")) == []
    for path in (made / "seeds").rglob("*"):  # neither the key that signs nor the secret behind all sticks is in it
        if path.is_file():
            content = path.read_bytes()
            assert b"OPENSSH PRIVATE KEY" not in content
            assert (made / "state" / "seed-enrolment.key").read_bytes().strip() not in content


def test_what_a_killed_run_left_goes_with_the_next(tmp_path: Path) -> None:
    folder = make_site(tmp_path)
    command: list[str | Path] = [
        sys.executable, "-m", "sparkctl", "airgap", "seed", "--site-file", folder / "site.yaml", "--fleet",
        folder / "fleet.yaml", "--state", folder / "state", "--out", folder / "seeds", "--key", folder / "seed_key",
    ]  # fmt: skip
    running = subprocess.Popen(command, env={**os.environ, "PATH": PATH})
    while not list(folder.glob("sparkctl-tree-*/content/*")):
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    running.kill()
    running.wait(10)
    assert list(folder.glob("sparkctl-tree-*")) != []
    assert not (folder / "seeds").exists()
    assert seed(folder, "seeds", "--no-images").returncode == 0
    assert list(folder.glob("sparkctl-tree-*")) == []


def test_the_secret_of_a_stick_is_on_that_stick_alone(made: Path) -> None:
    """Neither what crosses HTTP nor what cloud-init keeps on the node holds it."""
    for node in ("spark01", "spark02"):
        secret = (made / f"seeds/nodes/{node}/oemdata/enrolment.key").read_bytes().strip()
        assert len(secret) == 64
        holding = [path for path in (made / "seeds").rglob("*") if path.is_file() and secret in path.read_bytes()]
        assert {str(path.relative_to(made / "seeds")) for path in holding} == {
            f"nodes/{node}/oemdata/enrolment.key",
            f"images/{node}-oemdata.img",
        }


def test_the_manifest_names_every_file_and_is_signed(made: Path) -> None:
    folder = made / "seeds"
    content = (folder / "manifest.json").read_bytes()
    manifest = json.loads(content)
    assert list(complaints(content)) == []
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == there - {"manifest.json", "manifest.json.sig"}
    for name, file in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    for signed in ("manifest.json", "nodes/spark01/oemdata/payload.json"):
        who = ["-f", str(folder / "allowed_signers"), "-I", "spark-seed", "-n", "spark-seed"]
        command = ["ssh-keygen", "-Y", "verify", *who, "-s", str(folder / f"{signed}.sig")]
        with (folder / signed).open("rb") as file:
            ran = subprocess.run(command, stdin=file, check=False)
        assert ran.returncode == 0


def test_cloud_init_takes_all_user_data(made: Path) -> None:
    for path in (made / "seeds").glob("*/*/user-data"):
        assert "Valid" in run("cloud-init", "schema", "--config-file", path)


@pytest.mark.parametrize("node", ["spark01", "spark02"])
def test_cloud_init_reads_the_network_as_it_was_meant(made: Path, node: str, tmp_path: Path) -> None:
    path = made / f"seeds/nodes/{node}/network-config"
    run("cloud-init", "devel", "net-convert", "-p", path, "-k", "yaml", "-d", tmp_path, "-D", "ubuntu", "-O", "netplan")
    (written,) = (tmp_path / "etc/netplan").iterdir()
    assert yaml.safe_load(written.read_text())["network"] == yaml.safe_load(path.read_text())


def test_user_data_that_cloud_init_refuses_stops_everything(made: Path) -> None:
    """The check is cloud-init's own: a stand-in that answers as it does for a wrong key."""
    tools = made / "refusing"
    tools.mkdir()
    (tools / "cloud-init").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exec echo cloud-init 1.0\necho "Error: no"; exit 1\n'
    )
    (tools / "cloud-init").chmod(0o755)
    ran = seed_with(made, "refused", tools)
    assert (ran.returncode, "cloud-init does not take" in ran.stderr) == (4, True)
    assert not list(made.glob(".refused*")) + list(made.glob("refused"))


def seed_with(made: Path, out: str, tools: Path) -> "subprocess.CompletedProcess[str]":
    old = os.environ["PATH"]
    os.environ["PATH"] = f"{tools}:{old}"
    try:
        return seed(made, out, "--no-images")
    finally:
        os.environ["PATH"] = old


def test_without_cloud_init_that_is_said_loudly(made: Path, tmp_path: Path) -> None:
    for tool in ("ssh-keygen", "sh"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    old = os.environ["PATH"]
    os.environ["PATH"] = str(tmp_path)
    try:
        ran = seed(made, "unchecked", "--no-images")
    finally:
        os.environ["PATH"] = old
    assert ran.returncode == 0, ran.stderr
    assert "NOT CHECKED by cloud-init" in ran.stderr
    assert json_lines(ran)[0]["checked_by"] is None


def test_the_stick_is_a_clean_file_system_with_what_was_signed(made: Path) -> None:
    image, tree = made / "seeds/images/spark01-oemdata.img", made / "seeds/nodes/spark01/oemdata"
    run("e2fsck", "-fn", image)
    assert "OEMDATA" in run("dumpe2fs", "-h", image)
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    assert len(files) == 5
    for path in files:
        name = path.relative_to(tree)
        assert run("debugfs", "-R", f"cat {name}", image) == path.read_text()
        shown = run("debugfs", "-R", f"stat {name}", image)
        assert "Mode:  0600" in shown
        assert "User:     0   Group:     0" in shown
    payload = json.loads((tree / "payload.json").read_text())
    assert list(complaints((tree / "payload.json").read_bytes())) == []
    assert (payload["node_id"], payload["serial"]) == ("spark01", SERIAL)
    assert {entry["target"]: entry["mode"] for entry in payload["files"]} == {
        "/etc/site/extra.conf": "0640",
        "/opt/site:5000/tool": "0755",
    }


@pytest.mark.parametrize("name", ["user-data", "meta-data", "network-config"])
def test_both_images_for_cloud_init_hold_the_same(made: Path, name: str) -> None:
    expected = (made / "seeds/nodes/spark01" / name).read_text()
    images = made / "seeds/images"
    assert run("mtype", "-i", images / "spark01-cidata.img", f"::{name}") == expected
    assert "CIDATA" in run("mlabel", "-s", "-i", images / "spark01-cidata.img", "::")
    out = made / f"extracted-{name}"
    run("xorriso", "-osirrox", "on", "-indev", f"stdio:{images}/spark01-cidata.iso", "-extract", f"/{name}", out)
    assert out.read_text() == expected
    label = subprocess.run(
        ["xorriso", "-indev", f"stdio:{images}/spark01-cidata.iso", "-toc"], capture_output=True, text=True, check=True
    )
    assert "CIDATA" in label.stdout + label.stderr


@pytest.mark.skipif(shutil.which("grub-script-check") is None, reason="grub-common is not installed")
def test_grub_reads_its_menu_and_boots_from_disk_by_default(made: Path) -> None:
    path = made / "seeds/boot/grub/grub.cfg"
    run("grub-script-check", path)
    text = path.read_text()
    assert text.index("set default=disk") < text.index('"4c:bb:47:00:00:01" ]; then set default="install-spark01"')
    assert f'"$seed_serial" = "{SERIAL}"' in text
    assert "ds=nocloud;s=http://10.20.0.5/seeds/spark01/" in text


def test_apt_reads_the_sources_and_knows_their_key(made: Path, tmp_path: Path) -> None:
    written = yaml.safe_load((made / "seeds/nodes/spark01/user-data").read_text())["write_files"]
    for file in written:
        if file["path"].startswith("/etc/apt/"):
            path = tmp_path / file["path"].lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file["content"])
    options = [
        f"Dir={tmp_path}",
        "Dir::Bin::methods=/usr/lib/apt/methods",
        "APT::Architecture=arm64",
        "Dir::State::status=/dev/null",
    ]
    (tmp_path / "var/lib/apt/lists/partial").mkdir(parents=True)
    told = run("apt-get", "update", "--print-uris", *(f"-o{option}" for option in options))
    assert "'http://mirror.lab.example/ubuntu-ports/dists/noble/InRelease'" in told
    assert "noble-updates/universe/binary-arm64/Packages" in told
    assert {line.split("/")[2] for line in told.splitlines()} == {"mirror.lab.example"}
    for path in tmp_path.rglob("*.sources"):
        assert "Signed-By: /etc/apt/keyrings/" in path.read_text() or "URIs:" not in path.read_text()
    pins = (tmp_path / "etc/apt/preferences.d/site").read_text()
    assert "Package: *\nPin: origin mirror.lab.example\nPin-Priority: 900\n" in pins
    run("apt-cache", "policy", *(f"-o{option}" for option in options))


@pytest.mark.skipif(shutil.which("netplan", path=PATH) is None, reason="netplan.io is not installed")
def test_netplan_takes_the_network(made: Path, tmp_path: Path) -> None:
    network = yaml.safe_load((made / "seeds/nodes/spark01/network-config").read_text())
    (tmp_path / "etc/netplan").mkdir(parents=True)
    path = tmp_path / "etc/netplan/50.yaml"
    path.write_text(yaml.safe_dump({"network": {**network, "renderer": "networkd"}}))
    path.chmod(0o600)
    run("netplan", "generate", "--root-dir", tmp_path)
    unit = next((tmp_path / "run/systemd/network").glob("*.network")).read_text()
    assert "MACAddress=4c:bb:47:00:00:01" in unit or "PermanentMACAddress=4c:bb:47:00:00:01" in unit
    assert "Address=10.20.0.11/24" in unit


def test_a_folder_that_is_there_is_left_alone(made: Path) -> None:
    before = (made / "seeds/manifest.json").stat()
    ran = seed(made, "seeds")
    assert (ran.returncode, "is there already" in ran.stderr, ran.stdout) == (4, True, "")
    assert (made / "seeds/manifest.json").stat() == before


@pytest.mark.parametrize("arguments", [["nobody"], ["--key", "nowhere"], ["--enrolment", "site.yaml"]])
def test_what_cannot_be_made_leaves_nothing(made: Path, arguments: list[str]) -> None:
    (made / "site.yaml").chmod(0o600)
    changed = [str(made / part) if part in ("nowhere", "site.yaml") else part for part in arguments]
    ran = seed(made, "never", *changed)
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(made.glob("*never*"))
    assert not list(made.glob(".never*"))
