"""From a signed archive over a mirror and a bundle to a real apt where there is no network but loopback."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airgap.gaps import Gap, must, refused
from tests.airgap.mirrors import Mirroring, gap_of, mirroring, require_tools
from tests.airgap.test_self_bundle import require_unshared, without_network
from tests.support.archive import Archive, GpgHome
from tests.support.command import sparkctl
from tests.support.web import configuration, nginx, served

pytestmark = pytest.mark.slow

APT = """\
Dir "{root}";
Dir::State::status "{root}/status";
Dir::Etc "etc/apt";
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
APT::Sandbox::User "root";
Acquire::Retries "0";
Acquire::http::Proxy "false";
"""


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirroring]:
    """The near side, synced once, while the origin is served."""
    require_tools()
    top = tmp_path_factory.mktemp("near")
    (top / "www").mkdir()
    with served(top / "www", top / "nginx") as url:
        made = mirroring(top, url)
        try:
            yield made
        finally:
            made.keys.close()


def far_side(top: Path) -> Mirroring:
    """A far side whose mirror.yaml names no mirror: it takes what bundles bring."""
    top.mkdir(parents=True, exist_ok=True)
    keys = GpgHome()
    keys.close()  # this side signs nothing
    made = Mirroring(top, "http://127.0.0.1:1", keys, Archive(top / "www", keys, "nobody"))
    made.file.write_text('{version: 1, folder: mirror, url: "http://127.0.0.1:8123", soak: 1d}')
    return made


def crossed(near: Mirroring, gap: Gap) -> Path:
    """Pack the snapshots of the near side, sign them by two people, carry and apply them; the tree of the far side."""
    keys = ("--key", gap.key("alice"), "--key", gap.key("bob"))
    must(gap.near("pack", "--mirrors", near.file, "--out", gap.top / "out", *keys))
    number = len(list((gap.top / "out").iterdir()))
    for ran in (gap.bring(number, "mirror"), gap.apply(number, stream="mirror")):
        assert ran.returncode == 0, ran.stderr
    return gap.tree / "current"


def apt_root(place: Path) -> Path:
    """An apt of a node of arm64 with nothing in it; its configuration."""
    root = place / "root"
    for path in ("etc/apt/sources.list.d", "etc/apt/preferences.d", "etc/apt/apt.conf.d", "var/lib/apt/lists/partial",
                 "var/cache/apt/archives/partial"):  # fmt: skip
        (root / path).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    (place / "apt.conf").write_text(APT.format(root=root))
    return place / "apt.conf"


def at_the_node(place: Path, far: Mirroring, lines: str) -> "subprocess.CompletedProcess[str]":
    """Serve the rings by what `mirror nginx` prints, where there is only loopback, and run lines of a shell there."""
    conf = configuration(place / "web", server_block(far))
    apt = apt_root(place)
    steps = f"""
        export APT_CONFIG={apt}
        {nginx()} -t -e stderr -c {conf} 2> {place}/syntax
        {nginx()} -e stderr -c {conf} 2> {place}/web.log &
        for _ in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/8123) 2>/dev/null && break; sleep 0.05; done
        trap 'kill %1' EXIT
        cd {place}
        {lines}
    """
    return without_network(place, steps)


def server_block(far: Mirroring) -> str:
    ran = sparkctl("airgap", "mirror", "nginx", far.file, "--listen", "127.0.0.1:8123", home=far.top)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_signed_archive_crosses_and_a_real_apt_takes_it(near: Mirroring, tmp_path: Path) -> None:
    require_unshared()
    [planned] = near.said("plan")
    assert (planned["counts"]["packages"], planned["not_covered"]) == (4, [])
    [made] = near.said("sync")
    assert (made["fresh"], made["counts"]) == (True, {"suites": 2, "indexes": 8, "packages": 4})
    assert planned["bytes"] == sum(path.stat().st_size for path in (near.shelf / "snapshots").rglob("*.deb"))
    gap = gap_of(tmp_path)
    tree = crossed(near, gap)

    far = far_side(tmp_path / "far")
    assert [taken["outcome"] for taken in far.said("take", tree)] == ["taken"]
    assert [taken["outcome"] for taken in far.said("take", tree)] == ["there"]
    stamp = f"ubuntu/{made['stamp']}"
    refused(far.run("promote", stamp, "--ring", "fleet"), 4, "the ring canary never had")
    must(far.run("promote", "ubuntu", "--ring", "canary"))
    refused(far.run("promote", stamp, "--ring", "fleet"), 4, "and the soak is 24 h")
    must(far.run("promote", stamp, "--ring", "fleet", "--reason", "first of all, nobody waits"))
    must(far.run("client", "--ring", "fleet", "--out", tmp_path / "client"))

    node = tmp_path / "node"
    shutil.copytree(tmp_path / "client", node / "root")
    ran = at_the_node(node, far, "apt-get update; apt-get download tool manual; cat web/access.log")
    assert ran.returncode == 0, ran.stderr
    assert "by-hash" in ran.stdout  # apt asks for it, and takes the plain name where there is none
    assert not re.search("^(W|E|Err):", ran.stdout + ran.stderr, re.MULTILINE), ran.stdout + ran.stderr
    got = node / "tool_1.0_arm64.deb"
    assert got.read_bytes() == (near.archive.folder / "pool/main/t/tool/tool_1.0_arm64.deb").read_bytes()
    assert (node / "manual_1.0_all.deb").is_file()

    another = tmp_path / "another"  # the same client with the key of somebody else
    shutil.copytree(tmp_path / "client", another / "root")
    strangers_key(near, another / "root/etc/apt/sources.list.d/ubuntu.sources")
    ran = at_the_node(another, far, "apt-get update -o APT::Update::Error-Mode=any")
    assert ran.returncode == 100
    assert "NO_PUBKEY" in ran.stderr


def strangers_key(near: Mirroring, source: Path) -> None:
    near.keys.make("stranger")
    armour = near.keys.public("stranger", near.top / "stranger.asc").read_text()
    key = "".join(f" {line or '.'}\n" for line in armour.splitlines())
    source.write_text(re.sub("Signed-By:\n.*", f"Signed-By:\n{key}", source.read_text(), flags=re.DOTALL))
