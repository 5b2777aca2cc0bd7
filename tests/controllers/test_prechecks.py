"""Controllers over trees: what lets an act begin, what refuses it and in which word, and what cannot be told."""

import json
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit import installed_versions
from diag.nodekit.acting import ActingMachine
from diag.nodekit.control_task import ControlTask
from diag.nodekit.controller_catalogue import load_controllers
from diag.nodekit.grub_menu import entries
from diag.nodekit.inhibitors import LIST
from diag.nodekit.package_locks import AUDIT, LIST_LOCKS
from sparkctl.lab.characters import model_of
from sparkctl.lab.node_model import KERNEL, OLDER_KERNEL
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, Tree, root_view, write_tree
from sparkctl.model.control import ControlData

GUID = "f1392323-3920-4598-a932-ef06360cf403"
GRUB_MENU, GRUB_ENVIRONMENT = "/boot/grub/grub.cfg", "/boot/grub/grubenv"
BLOCKER = ["shutdown:idle", "backup", "a backup runs", "block", 0, 4711]
DELAYER = ["shutdown", "other", "saves its state", "delay", 0, 4712]
SLEEPER = ["sleep", "music", "plays", "block", 0, 4713]
LOCKS = [{"command": "apt-get", "pid": 7, "path": "/var/lib/dpkg/lock-frontend"}]
QUIET = ("--json", "--no-unreported-check", "--no-metadata-check", "--no-remote-check")


class Node:
    """The tree of a healthy node, to which a test adds what an act looks at."""

    def __init__(self, folder: Path, fault: str | None = None, make: str = "founders") -> None:
        self._folder = folder
        self.model = model_of("sim-01", 7, make, fault)
        self.tree: Tree = render(self.model)
        self.inhibitors(DELAYER, SLEEPER)
        self.tree.record(LIST_LOCKS, json.dumps({"locks": [{"command": "x", "pid": 1, "path": "/run/other"}]}))
        self.tree.record(AUDIT)

    def inhibitors(self, *rows: list[Any]) -> None:
        """Who asks logind for what."""
        self.again(LIST, json.dumps({"type": "a(ssssuu)", "data": [list(rows)]}))

    def again(self, argv: tuple[str, ...], stdout: str = "", *, rc: int = 0, stderr: str = "") -> None:
        """Record a command in place of an earlier recording."""
        self.tree.commands = [entry for entry in self.tree.commands if entry["argv"] != [*argv]]
        self.tree.record(argv, stdout, rc=rc, stderr=stderr)

    def units(self, **states: tuple[str, str]) -> None:
        """Load and active state of `NAME.service` for each name, asked in this order."""
        names = [f"{name}.service" for name in states]
        said = "\n\n".join(f"LoadState={load}\nActiveState={active}" for load, active in states.values())
        self.again(("/usr/bin/systemctl", "show", *names, "--property=LoadState,ActiveState"), f"{said}\n")

    def asked(self, controller: str, phase: str = "precheck", boot: str | None = None, **given: Any) -> ControlData:
        """One phase, validated as the bastion does."""
        root = self._folder / "sim-01"
        write_tree(self.tree, root, Pool(self._folder / "shared"), 1.8e9)
        machine = ActingMachine(str(root_view(root.resolve())), "root")
        task = ControlTask(
            controller, load_controllers()[controller], phase, "a" * 32, 1, boot or self.model.boot_id,
            json.dumps(given), 20.0,
        )  # fmt: skip
        (document,), bugs = task.judge(machine)
        assert bugs == []
        return ControlData.model_validate_json(json.dumps(document))


def came_to(data: ControlData) -> tuple[str, str | None]:
    return data.result.value, data.reason


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_restart_is_ready_where_nothing_speaks_against_it(node: Node) -> None:
    data = node.asked("reboot")
    assert came_to(data) == ("ready", None)
    assert data.argv == ["/usr/bin/systemctl", "reboot"]
    assert data.observed == {"kernel": KERNEL, "kernel_next": KERNEL, "kernel_next_by": "newest"}


def test_a_restart_that_somebody_keeps_off_is_refused_with_who_and_why(node: Node) -> None:
    node.inhibitors(DELAYER, BLOCKER, SLEEPER)
    data = node.asked("reboot")
    assert came_to(data) == ("refused", "inhibited")
    assert {key: data.observed[key] for key in ("who", "why", "mode")} == {
        "who": "backup", "why": "a backup runs", "mode": "block",
    }  # fmt: skip
    assert data.observed["inhibitors"] == 1


@pytest.mark.parametrize(
    ("stdout", "rc"),
    [("", 1), ("", 0), ("{}", 0), ("[]", 0), ('{"data": []}', 0), ('{"data": [[["a"]]]}', 0), ("\x00\xff", 0)],
)
def test_a_logind_that_cannot_be_understood_is_no_leave(node: Node, stdout: str, rc: int) -> None:
    node.again(LIST, stdout, rc=rc)
    assert node.asked("reboot").result.value == "unknown"


NONSENSE = [
    "", "{}", "[]", "null", "1", '{"locks": 1}', '{"Devices": {}}', '{"Releases": [1]}', "a=b\n\nc", "\x00", "x" * 999,
]  # fmt: skip


GIVEN: dict[str, dict[str, Any]] = {
    "quarantine": {"units": ["a.service"]}, "drain": {"units": ["a.service"]},
    "firmware-stage": {"device": GUID, "release": "1"}, "apt-upgrade": {"packages": {"dgx-release": "7.5.0"}},
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "reboot", "quarantine", pytest.param("drain", marks=pytest.mark.thorough),  # which looks as quarantine does
        "firmware-stage", "apt-upgrade", "apt-refresh",
    ],
)  # fmt: skip
def test_tools_that_talk_nonsense_are_no_leave_and_no_bug(node: Node, name: str) -> None:
    """`asked` asserts that nothing breaks in a way that is our own bug."""
    given = GIVEN.get(name, {})
    for text in NONSENSE[1:] if name == "apt-refresh" else NONSENSE:  # lslocks says nothing where there are no locks
        for argv in looks_of(name):
            node.again(argv, text)
        assert node.asked(name, **given).result.value in ("unknown", "refused")
        if name != "apt-refresh":  # which looks at files afterwards, and asks no tool
            assert node.asked(name, "postcheck", **given).result.value in ("unknown", "lacks")


def looks_of(name: str) -> list[tuple[str, ...]]:
    """What a controller runs in order to look, each of which is made to talk nonsense."""
    units = ("/usr/bin/systemctl", "show", "a.service", "--property=LoadState,ActiveState")
    packages = ("/usr/bin/dpkg-query", "--show", installed_versions.FORMAT, "dgx-release")
    looks: dict[str, list[tuple[str, ...]]] = {
        "reboot": [LIST],
        "quarantine": [units],
        "drain": [units],
        "apt-refresh": [LIST_LOCKS],
        "apt-upgrade": [packages, AUDIT],
        "firmware-stage": [("/usr/bin/fwupdmgr", "get-history", *QUIET)],
    }
    return looks[name]


def test_a_restart_waits_for_dpkg(node: Node) -> None:
    node.again(LIST_LOCKS, json.dumps({"locks": LOCKS}))
    data = node.asked("reboot")
    assert came_to(data) == ("refused", "dpkg_locked")
    assert data.observed["holder"] == "apt-get (7)"
    node.again(LIST_LOCKS, json.dumps({"locks": []}))
    node.again(AUDIT, "The following packages are in a mess:\n tool   half-configured\n", rc=1)
    data = node.asked("reboot")
    assert came_to(data) == ("refused", "dpkg_unfinished")
    assert "half-configured" in data.summary


def test_a_restart_into_a_kernel_that_does_not_come_next_is_refused(node: Node) -> None:
    assert came_to(node.asked("reboot", kernel=KERNEL)) == ("ready", None)
    assert came_to(node.asked("reboot", kernel=OLDER_KERNEL)) == ("refused", "other_kernel_next")
    assert came_to(node.asked("reboot", kernel="6.99.0-none")) == ("refused", "kernel_absent")


def test_an_act_for_another_boot_is_refused_and_a_look_back_is_not(node: Node) -> None:
    other = "0" * 8 + node.model.boot_id[8:]
    assert came_to(node.asked("reboot", boot=other)) == ("refused", "other_boot")
    assert came_to(node.asked("reboot", "apply", boot=other)) == ("refused", "other_boot")
    assert came_to(node.asked("reboot", "observe", boot=other)) == ("absent", "other_boot")
    assert came_to(node.asked("reboot", "postcheck", boot=other)) == ("holds", None)
    assert came_to(node.asked("reboot", "postcheck")) == ("lacks", "same_boot")
    assert came_to(node.asked("reboot", "postcheck", boot=other, kernel=OLDER_KERNEL)) == ("lacks", "other_kernel")


def test_what_has_no_way_back_says_why(node: Node) -> None:
    data = node.asked("reboot", "undo")
    assert came_to(data) == ("refused", "no_undo")
    assert data.summary == "a reboot cannot be taken back"


def test_a_saved_tree_is_not_changed(node: Node) -> None:
    data = node.asked("kernel-boot-once", "apply", kernel=KERNEL)
    assert data.result.value == "unknown"


def test_a_kernel_is_chosen_by_the_entry_that_boots_it(node: Node) -> None:
    data = node.asked("kernel-boot-once", kernel=OLDER_KERNEL)
    root = node.model.filesystem_uuid
    assert came_to(data) == ("ready", None)
    assert data.argv == [
        "/usr/sbin/grub-reboot", f"gnulinux-advanced-{root}>gnulinux-{OLDER_KERNEL}-advanced-{root}",
    ]  # fmt: skip
    node.tree.files[GRUB_ENVIRONMENT] = f"# GRUB Environment Block\nnext_entry={data.argv[1]}\n####"
    assert came_to(node.asked("kernel-boot-once", kernel=OLDER_KERNEL)) == ("holds", None)
    assert came_to(node.asked("kernel-boot-once", "postcheck", kernel=OLDER_KERNEL)) == ("holds", None)
    assert came_to(node.asked("kernel-boot-once", "postcheck", kernel=KERNEL)) == ("lacks", "other_entry")


def test_a_kernel_that_cannot_be_booted_is_refused(node: Node) -> None:
    assert came_to(node.asked("kernel-boot-once", kernel="6.99.0-none")) == ("refused", "kernel_absent")
    menu = str(node.tree.files[GRUB_MENU])
    node.tree.files[GRUB_MENU] = menu.replace(f"vmlinuz-{OLDER_KERNEL}", "vmlinuz-6.0.0-1")
    assert came_to(node.asked("kernel-boot-once", kernel=OLDER_KERNEL)) == ("refused", "entry_absent")
    node.tree.files[GRUB_MENU] = menu
    del node.tree.files[f"/boot/initrd.img-{OLDER_KERNEL}"]
    assert came_to(node.asked("kernel-boot-once", kernel=OLDER_KERNEL)) == ("refused", "initrd_absent")
    node.tree.files[f"/boot/initrd.img-{OLDER_KERNEL}"] = "x"
    del node.tree.files[GRUB_ENVIRONMENT]
    assert came_to(node.asked("kernel-boot-once", kernel=OLDER_KERNEL)) == ("refused", "no_environment")


def test_an_entry_that_names_more_than_an_entry_is_not_handed_on(node: Node) -> None:
    menu = str(node.tree.files[GRUB_MENU])
    node.tree.files[GRUB_MENU] = menu.replace(f"gnulinux-{OLDER_KERNEL}", f"$(reboot)-{OLDER_KERNEL}")
    assert came_to(node.asked("kernel-boot-once", kernel=OLDER_KERNEL)) == ("unknown", "parse_error")


def test_recovery_entries_and_nested_blocks_are_told_apart() -> None:
    menu = (
        "if [ x = y ]; then\n  set a=b\nfi\nfunction load_video {\n  insmod x\n}\n"
        "menuentry 'Ubuntu' --class os $menuentry_id_option 'simple' {\n\tlinux /vmlinuz-6.1 ro\n}\n"
        "submenu 'More' $menuentry_id_option 'more' {\n"
        "\tmenuentry 'one' $menuentry_id_option 'one-recovery' {\n\t\tlinux /boot/vmlinuz-6.1 recovery\n\t}\n"
        "\tmenuentry 'two' $menuentry_id_option 'two' {\n\t\tif x ; then\n\t\tlinux /boot/vmlinuz-6.2\n\t\tfi\n\t}\n}\n"
        "menuentry 'UEFI' $menuentry_id_option 'uefi' {\n\tfwsetup\n}\n"
    )
    assert entries(menu) == [("simple", "6.1"), ("more>one-recovery", "6.1"), ("more>two", "6.2")]


def test_a_drain_looks_at_units_at_the_gpu_and_at_terminals(tmp_path: Path) -> None:
    node = Node(tmp_path, "busy")
    node.units(vllm=("loaded", "active"), idle=("loaded", "inactive"))
    units = ["vllm.service", "idle.service"]
    data = node.asked("drain", units=units)
    assert came_to(data) == ("ready", None)
    assert data.argv == ["/usr/bin/systemctl", "stop", "vllm.service"]
    assert (data.observed["gpu_processes"], data.observed["gpu_processes_of_others"]) == (1, 0)
    node.units(idle=("loaded", "active"))
    data = node.asked("drain", units=["idle.service"])
    assert came_to(data) == ("refused", "gpu_in_use")
    assert "48211" in data.summary
    node.units(vllm=("loaded", "active"))
    node.tree.files["/run/systemd/sessions/7"] = "UID=1000\nUSER=ops\nTTY=pts/0\nSTATE=active\n"
    node.tree.files["/run/systemd/sessions/8"] = "UID=1000\nUSER=sparkctl\nREMOTE=1\nSTATE=active\n"
    data = node.asked("drain", units=["vllm.service"])
    assert came_to(data) == ("refused", "in_use")
    assert data.summary == "ops on pts/0 is signed in"
    assert came_to(node.asked("drain", units=["vllm.service"], force=True)) == ("ready", None)


def test_a_gpu_that_does_not_answer_is_no_leave_to_drain(tmp_path: Path) -> None:
    node = Node(tmp_path, "gpu-missing")
    node.units(vllm=("loaded", "active"))
    assert came_to(node.asked("drain", units=["vllm.service"])) == ("unknown", "precondition")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({"a": ("loaded", "active")}, ("ready", None)),
        ({"a": ("loaded", "failed")}, ("ready", None)),
        ({"a": ("masked", "inactive")}, ("holds", None)),
        ({"a": ("masked", "active")}, ("ready", None)),
        ({"a": ("not-found", "inactive")}, ("refused", "unit_absent")),
    ],
)
def test_a_quarantine_knows_how_its_units_are(
    node: Node, states: dict[str, tuple[str, str]], expected: tuple[str, str | None]
) -> None:
    node.units(**states)
    assert came_to(node.asked("quarantine", units=["a.service"])) == expected


def test_a_systemctl_that_tells_of_other_units_is_not_believed(node: Node) -> None:
    argv = ("/usr/bin/systemctl", "show", "a.service", "--property=LoadState,ActiveState")
    node.again(argv, "LoadState=loaded\nActiveState=active\n\nLoadState=loaded\nActiveState=active\n")
    assert came_to(node.asked("quarantine", units=["a.service"])) == ("unknown", "parse_error")


def firmware(node: Node, *, history: tuple[str, int] | None = None, releases: tuple[str, ...] = ()) -> str:
    """Record what fwupd tells of a device, and return the version that it has."""
    listed = json.dumps({"Releases": [{"Version": version} for version in releases]})
    node.again(("/usr/bin/fwupdmgr", "get-releases", GUID, *QUIET), listed if releases else "", rc=0 if releases else 2)
    past = [{"Guid": [GUID], "UpdateState": history[1], "Releases": [{"Version": history[0]}]}] if history else []
    node.again(("/usr/bin/fwupdmgr", "get-history", *QUIET), json.dumps({"Devices": past}), rc=0 if past else 2)
    known = next(entry for entry in node.tree.commands if entry["argv"][:2] == ["fwupdmgr", "get-devices"])
    devices = json.loads(known["stdout"])["Devices"]
    return str(next(one["Version"] for one in devices if GUID in one.get("Guid", [])))


def test_firmware_is_staged_once_and_only_what_fwupd_has(tmp_path: Path) -> None:
    node = Node(tmp_path, make="asus")
    version = firmware(node, releases=("9.9",))
    assert came_to(node.asked("firmware-stage", device=GUID, release="9.9")) == ("ready", None)
    assert came_to(node.asked("firmware-stage", device=GUID, release="9.8")) == ("refused", "release_unavailable")
    assert came_to(node.asked("firmware-stage", device=GUID, release=version)) == ("holds", None)
    other = GUID.replace("f", "e")
    assert came_to(node.asked("firmware-stage", device=other, release="9.9")) == ("refused", "device_absent")
    assert came_to(node.asked("firmware-stage", "postcheck", device=GUID, release="9.9")) == ("lacks", "not_staged")
    firmware(node, history=("9.9", 4), releases=("9.9",))
    assert came_to(node.asked("firmware-stage", device=GUID, release="9.9")) == ("holds", None)
    assert came_to(node.asked("firmware-stage", "postcheck", device=GUID, release="9.9")) == ("holds", None)
    firmware(node, history=("9.7", 4), releases=("9.9",))
    assert came_to(node.asked("firmware-stage", device=GUID, release="9.9")) == ("refused", "other_staged")
    firmware(node, history=("9.9", 3), releases=("9.9",))
    assert came_to(node.asked("firmware-stage", "postcheck", device=GUID, release="9.9")) == ("lacks", "not_staged")
