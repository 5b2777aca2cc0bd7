"""The first-boot hook as a process, in a private root, under every fault: it ends right, and twice is once."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sparkctl.contract.outside import complaints
from tests.support.corpus import THOROUGH
from tests.support.first_boot import PROGRAM, FirstBoot, is_proven
from tests.support.seeds import make_site, seed, ssh_key

pytestmark = [pytest.mark.slow]
PLACED = {"/etc/site/extra.conf": 0o640, "/opt/site:5000/tool": 0o755}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_site(tmp_path_factory.mktemp("first-boot"))
    ran = seed(folder, "seeds", "--no-images")
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def fresh(site: Path, tmp_path: Path) -> FirstBoot:
    return FirstBoot(site / "seeds", tmp_path)


@pytest.fixture(scope="module")
def waiting(site: Path, tmp_path_factory: pytest.TempPathFactory) -> FirstBoot:
    """A node that made its host keys, which takes most of the time, and found no stick, which is put in now."""
    made = FirstBoot(site / "seeds", tmp_path_factory.mktemp("waiting"))
    away = made.stick.rename(made.stick.with_name("away"))
    assert made.run().returncode == 1
    away.rename(made.stick)
    assert_nothing_placed(made)
    return made


@pytest.fixture
def node(waiting: FirstBoot, tmp_path: Path) -> FirstBoot:
    """A node whose first boot goes on."""
    return waiting.copied(tmp_path)


def master(site: Path) -> bytes:
    return bytes.fromhex((site / "state/seed-enrolment.key").read_text())


def assert_done(node: FirstBoot, site: Path) -> None:
    assert (node.home / "done").exists()
    for target, mode in PLACED.items():
        path = node.root / target.lstrip("/")
        assert path.read_text() == (site / path.name).read_text()
        assert path.stat().st_mode & 0o777 == mode
        assert path.parent.stat().st_mode & 0o777 == 0o755  # for everybody, whatever the umask of the unit
    for kind, public in node.keys().items():
        private = node.root / f"etc/ssh/ssh_host_{kind}_key"
        assert private.stat().st_mode & 0o777 == 0o600
        told = subprocess.run(["ssh-keygen", "-y", "-f", private], capture_output=True, text=True, check=True).stdout
        assert told.split()[:2] == public.split()[:2]
    beacon = node.beacon()
    assert list(complaints(json.dumps(beacon).encode())) == []
    assert (beacon["state"], beacon["errors"]) == ("done", [])
    assert beacon["steps"] == ["host_keys", "verified", "staged", "placed"]
    assert {key["public_key"] for key in beacon["host_keys"]} == {
        " ".join(key.split()[:2]) for key in node.keys().values()
    }
    assert is_proven(beacon, master(site))
    assert beacon == json.loads((node.stick / "beacon.json").read_text())
    assert sorted(path.name for path in node.home.iterdir()) == [
        "beacon.json",
        "done",
        "host-keys-done",
        "signature",
        "staged",
    ]
    assert [path for path in node.root.rglob("*") if path.name.endswith(".first-boot")] == []
    assert list((node.home / "staged").iterdir()) == []
    assert not (node.root / "etc/cloud").exists()


def assert_nothing_placed(node: FirstBoot) -> None:
    assert not any((node.root / target.lstrip("/")).exists() for target in PLACED)
    assert not (node.home / "done").exists()


def test_all_is_well_and_twice_is_once(fresh: FirstBoot, site: Path) -> None:
    ran = fresh.run()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert_done(fresh, site)
    before = fresh.snapshot()
    assert fresh.run().returncode == 0
    assert fresh.snapshot() == before


def test_a_seed_of_another_revision_is_taken_in_as_well(node: FirstBoot, site: Path, tmp_path: Path) -> None:
    assert node.run().returncode == 0
    keys = node.keys()
    text = (site / "site.yaml").read_text().replace("version: 1\n", "version: 1\nrevision: 2\n", 1)
    (site / "second.yaml").write_text(text.replace("from: tool", "from: other"))
    (site / "other").write_text("another tool\n")
    ran = seed(site, f"seeds-{tmp_path.name}", "--no-images", "--site-file", site / "second.yaml")
    assert ran.returncode == 0, ran.stderr
    second = FirstBoot(site / f"seeds-{tmp_path.name}", tmp_path / "second")
    node.put("/etc/spark-seed/node.json", (second.root / "etc/spark-seed/node.json").read_text())
    assert node.run().returncode == 1  # the stick is still that of the first
    assert (node.beacon()["state"], "the stick is for instance_id" in node.beacon()["errors"][0]) == ("refused", True)
    assert node.run(stick=second.stick).returncode == 0
    assert (node.root / "opt/site:5000/tool").read_text() == "another tool\n"
    assert node.keys() == keys
    before = node.snapshot()
    assert node.run(stick=second.stick).returncode == 0
    assert node.snapshot() == before


def test_a_stick_that_is_absent_is_waited_for_at_every_boot(fresh: FirstBoot, site: Path) -> None:
    away = fresh.stick.rename(fresh.stick.with_name("away"))
    for attempt in (1, 2):
        assert fresh.run().returncode == 1
        beacon = fresh.beacon()
        assert list(complaints(json.dumps(beacon).encode())) == []
        assert (beacon["state"], beacon["attempts"], beacon["hmac"]) == ("waiting", attempt, None)
        assert beacon["steps"] == ["host_keys"]
        assert "the stick is not in" in beacon["errors"][0]
        assert_nothing_placed(fresh)
    keys = fresh.keys()
    assert "of the image, on every machine\n" not in keys.values()
    away.rename(fresh.stick)
    assert fresh.run().returncode == 0
    assert fresh.keys() == keys  # made once
    assert_done(fresh, site)


def test_a_stick_that_comes_late_is_taken(fresh: FirstBoot, site: Path) -> None:
    away = fresh.stick.rename(fresh.stick.with_name("away"))
    running = subprocess.Popen([sys.executable, "-I", str(PROGRAM), *fresh.arguments(60, None)])
    while not (fresh.home / "host-keys-done").exists():
        time.sleep(0.05)
    away.rename(fresh.stick)
    assert running.wait(60) == 0
    assert_done(fresh, site)


@pytest.mark.parametrize("name", ["payload.json", "payload.json.sig", "enrolment.key", "files/*"])
@pytest.mark.parametrize("fault", ["missing", "changed", "link"])
def test_a_file_that_is_missing_or_not_the_one_that_was_signed(
    name: str, fault: str, node: FirstBoot, site: Path
) -> None:
    path = min(node.stick.glob(name))
    good = path.read_bytes()
    path.unlink()
    if fault == "changed":
        path.write_bytes(bytes([good[0] ^ 1]) + good[1:])
    elif fault == "link":
        path.symlink_to("/etc/passwd")
    assert node.run().returncode == 1
    beacon = node.beacon()
    assert beacon["state"] == ("refused" if fault == "changed" else "waiting")
    assert beacon["hmac"] is None
    assert len(beacon["errors"]) == 1
    assert_nothing_placed(node)
    path.unlink(missing_ok=True)
    path.write_bytes(good)
    assert node.run().returncode == 0
    assert_done(node, site)


def test_pipes_and_second_names_on_a_stick_stop_and_change_nothing(node: FirstBoot, site: Path) -> None:
    (node.stick / "payload.json").rename(node.stick / "kept")
    os.mkfifo(node.stick / "payload.json")
    assert node.run().returncode == 1
    assert (node.beacon()["state"], "it is no file" in node.beacon()["errors"][0]) == ("waiting", True)
    (node.stick / "kept").replace(node.stick / "payload.json")
    secret = (node.stick / "enrolment.key").read_bytes()
    (node.stick / ".beacon.json.first-boot").hardlink_to(node.stick / "enrolment.key")
    assert node.run().returncode == 0
    assert (node.stick / "enrolment.key").read_bytes() == secret
    assert_done(node, site)


def test_a_pipe_holds_nothing_up(node: FirstBoot, site: Path) -> None:
    os.mkfifo(node.stick / ".beacon.json.first-boot")
    (node.root / "etc/site").mkdir()
    os.mkfifo(node.root / "etc/site/extra.conf")
    assert node.run().returncode == 0
    assert_done(node, site)


def resign(node: FirstBoot, key: Path, namespace: str = "spark-seed") -> None:
    (node.stick / "payload.json.sig").unlink()
    payload = str(node.stick / "payload.json")
    command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key), "-n", namespace, payload]
    subprocess.run(command, check=True, capture_output=True)


def refused(node: FirstBoot, words: str) -> None:
    assert node.run().returncode == 1
    assert node.beacon()["state"] == "refused"
    assert words in node.beacon()["errors"][0]
    assert_nothing_placed(node)


def test_another_key_is_refused(node: FirstBoot, site: Path, tmp_path: Path) -> None:
    ssh_key(tmp_path / "stranger")
    resign(node, tmp_path / "stranger")
    refused(node, "not signed by a key that this seed knows")
    resign(node, site / "seed_key", "file")  # the right key, for another purpose
    refused(node, "not signed by a key that this seed knows")
    resign(node, site / "seed_key")
    assert node.run().returncode == 0


def test_the_stick_of_another_node_or_machine_is_refused(node: FirstBoot, site: Path) -> None:
    mine = node.stick.rename(node.stick.with_name("mine"))
    shutil.copytree(site / "seeds/nodes/spark02/oemdata", node.stick)
    refused(node, "the stick is for node_id spark02")
    shutil.rmtree(node.stick)
    mine.rename(node.stick)
    node.put("/sys/class/dmi/id/product_serial", "1581124059999\n")
    refused(node, "this machine says 1581124059999")


@pytest.mark.parametrize(
    "entry",
    [
        {"target": "/etc/../root/x"}, {"target": "etc/x"}, {"target": "/etc/x y"}, {"source": "../../etc/shadow"},
        {"size": 2**40},
    ],
)  # fmt: skip
def test_even_what_is_signed_has_bounds(entry: dict[str, object], node: FirstBoot, site: Path) -> None:
    payload = json.loads((node.stick / "payload.json").read_text())
    payload["files"][1] |= entry
    (node.stick / "payload.json").write_text(json.dumps(payload))
    resign(node, site / "seed_key")
    refused(node, "")


def one_of_each(kinds: list[str]) -> list[int]:
    """The first and the last change, and of each kind that in the middle."""
    places = {kind: [number for number, one in enumerate(kinds, 1) if one == kind] for kind in kinds}
    return sorted({1, len(kinds), *(numbers[len(numbers) // 2] for numbers in places.values())})


def test_power_is_cut_at_every_step(site: Path, tmp_path: Path) -> None:
    """Cut before a change of the disk, one of each kind of them or each with SPARKCTL_THOROUGH, and started again."""
    kinds = FirstBoot(site / "seeds", tmp_path / "whole").cut(0).stdout.split()
    assert len(kinds) > 40
    assert set(kinds) == {"mkdir", "run", "fsync", "rename", "unlink", "replace", "rmdir"}
    for number in range(1, len(kinds) + 1) if THOROUGH else one_of_each(kinds):
        node = FirstBoot(site / "seeds", tmp_path / str(number))
        assert node.cut(number).returncode == 137
        committed = node.home / "host-keys"
        kept = {path.name: path.read_text() for path in committed.glob("*.pub")} if committed.is_dir() else {}
        again = node.run()
        assert again.returncode == 0, (number, again.stderr)
        assert_done(node, site)
        for name, text in kept.items():
            assert (node.root / "etc/ssh" / name).read_text() == text, number


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_real_stick_is_mounted_and_the_beacon_carried_home(site: Path, tmp_path: Path) -> None:
    ran = seed(site, f"seeds-{tmp_path.name}")
    assert ran.returncode == 0, ran.stderr
    node = FirstBoot(site / f"seeds-{tmp_path.name}", tmp_path)
    image = tmp_path / "stick.img"
    shutil.copy(site / f"seeds-{tmp_path.name}/images/spark01-oemdata.img", image)
    losetup = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True, check=False)
    device = losetup.stdout.strip()
    if losetup.returncode != 0:
        pytest.skip("this machine has no loop devices")
    try:
        if subprocess.run(["mount", "-o", "ro", device, node.stick], capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine cannot mount an image")
        subprocess.run(["umount", node.stick], check=True)
        ran_hook = node.run(stick=Path(device))
    finally:
        subprocess.run(["losetup", "-d", device], check=True)
    assert (ran_hook.returncode, ran_hook.stderr) == (0, "")
    command = ["debugfs", "-R", "cat beacon.json", str(image)]
    carried = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PATH": "/usr/sbin:/sbin"}
    )
    assert json.loads(carried.stdout) == node.beacon()
    assert subprocess.run(["/usr/sbin/e2fsck", "-fn", image], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = (PROGRAM.parent / "spark-first-boot.service").read_text()
    unit = tmp_path / "spark-first-boot.service"
    unit.write_text(text.replace("/usr/local/sbin/spark-first-boot", str(PROGRAM)))
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert "spark-first-boot" not in ran.stderr, ran.stderr
    assert "Restart=on-failure" in text
    assert "WantedBy=multi-user.target" in text
