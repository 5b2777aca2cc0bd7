"""What a controller is told is checked as a whole before anything is looked at; nothing else reaches a command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from diag.nodekit.controller import Asked
from diag.nodekit.controller_catalogue import load_controllers
from diag.nodekit.parameters import BadParameters, parsed, read_all
from diag.nodekit.source_text import program
from sparkctl.app.catalogue import controller_catalogue
from sparkctl.resources import shipped
from tests.support.trees import build_tree

PROGRAM = shipped("diag") / "spark_controlctl.py"
BOOT_ID = "11111111-2222-3333-4444-555555555555"
ACT = "a" * 32
GOOD: dict[str, dict[str, Any]] = {
    "apt-refresh": {},
    "apt-upgrade": {"packages": {"dgx-release": "7.5.0", "libc6:arm64": "1:2.39-0ubuntu8~24.04+b1"}},
    "drain": {"units": ["vllm.service", "model@7b.service"], "force": True},
    "fence-dashboard": {"more": ["apt-daily-upgrade.timer"]},
    "firmware-stage": {"device": "f1392323-3920-4598-a932-ef06360cf403", "release": "0x02009b0b"},
    "kernel-boot-once": {"kernel": "6.17.0-1014-nvidia"},
    "nvme-markers": {"device": "nvme0n1", "serial": "S7XXNS0TB00123", "seed": "5eed" * 8},
    "nvme-sanitize": {
        "device": "nvme0n1", "serial": "S7XXNS0TB00123", "seed": "5eed" * 8, "technique": "sanitize_crypto_erase",
        "stall": "900",
    },
    "quarantine": {"units": ["vllm.service"]},
    "reboot": {"kernel": "6.17.0-1014-nvidia"},
    "revoke-access": {"users": ["spark"], "keys": ["SHA256:" + "A" * 43], "tokens": {"/etc/token": "0" * 64}},
    "tpm-clear": {"tcti": "device:/dev/tpmrm0", "auth_file": "/run/lockout"},
}  # fmt: skip
SOURCES = {program(name)[-1] for name in ("marker_blocks", "sanitize_log", "revoking")}
"""Programs of ours that are a word of a command."""
LONGEST_S = {"nvme-sanitize": 86400}
"""Beyond two hours: to overwrite a drive takes as long as it is large."""
WORDS = [
    "", " ", "-", "--reinstall", "-o=x", "a b", "a;b", "a&b", "a|b", "$(reboot)", "`reboot`", "${HOME}", "a\nb",
    "a\x00b", "a\x1b[2J", "../../etc/passwd", "/etc/passwd", "a/b", "name=1.0", "*", "?", "a\u202eb", "á", "x" * 5000,
    "--then", "%n", "a'b", 'a"b', "\\x2d", "\r",
]  # fmt: skip
NO_WORDS = [None, 1, 1.5, True, [], {}, ["a"], {"a": "b"}]
SHAPES = ["", "null", "[]", "1", '"x"', "{", '{"a":1,"a":2}', '{"kernel": NaN}', "[" * 50_000, "{}" * 2, "\x00"]


def test_every_controller_is_listed_with_its_commands() -> None:
    listed = {entry.controller: entry for entry in controller_catalogue()}
    assert list(listed) == list(GOOD)
    for entry in listed.values():
        assert entry.argv[0].startswith("/usr/")
        assert (entry.undo is None) == bool(entry.no_undo)
        assert 0 < entry.longest_s <= LONGEST_S.get(entry.controller, 7200)


@pytest.mark.parametrize("name", GOOD)
def test_good_parameters_fit_their_published_schema_and_are_read(name: str) -> None:
    entry = next(entry for entry in controller_catalogue() if entry.controller == name)
    for key, value in GOOD[name].items():
        Draft202012Validator(entry.parameters[key]).validate(value)
    given = read_all(load_controllers()[name].parameters, parsed(json.dumps(GOOD[name])))
    assert set(given) == set(entry.parameters)


def slots(given: dict[str, Any]) -> list[tuple[str, Any]]:
    """Every parameter of words, with what puts a word there."""
    found: list[tuple[str, Any]] = []
    for key, value in given.items():
        if isinstance(value, list):
            found.append((f"{key}[]", lambda word, key=key: {**given, key: [word]}))
        elif isinstance(value, dict):
            found.append((f"{key}{{name}}", lambda word, key=key: {**given, key: {word: "1.0"}}))
            found.append((f"{key}{{version}}", lambda word, key=key: {**given, key: {"dgx-release": word}}))
        elif isinstance(value, str):
            found.append((key, lambda word, key=key: {**given, key: word}))
    return found


CASES = [pytest.param(name, put, id=f"{name}-{slot}") for name, given in GOOD.items() for slot, put in slots(given)]


@pytest.mark.parametrize(("name", "put"), CASES)
def test_no_hostile_word_is_read(name: str, put: Any) -> None:
    kinds = load_controllers()[name].parameters
    for word in WORDS:
        with pytest.raises(BadParameters):
            read_all(kinds, parsed(json.dumps(put(word))))


@pytest.mark.parametrize("name", [name for name, given in GOOD.items() if given])
def test_no_value_of_another_kind_is_read(name: str) -> None:
    kinds, given = load_controllers()[name].parameters, GOOD[name]
    for key, value in given.items():
        for other in NO_WORDS:
            if type(other) is type(value) and other:
                continue
            with pytest.raises(BadParameters, match=key):
                read_all(kinds, {**given, key: other})


@pytest.mark.parametrize("name", GOOD)
def test_unknown_and_missing_parameters_are_named(name: str) -> None:
    kinds, given = load_controllers()[name].parameters, GOOD[name]
    with pytest.raises(BadParameters, match="no parameter 'shell'"):
        read_all(kinds, {**given, "shell": "/bin/sh"})
    for key, kind in kinds.items():
        if kind.required:
            with pytest.raises(BadParameters, match=f"'{key}' is missing"):
                read_all(kinds, {one: value for one, value in given.items() if one != key})


@pytest.mark.parametrize("text", SHAPES)
def test_what_is_no_object_of_json_is_refused(text: str) -> None:
    with pytest.raises(BadParameters):
        parsed(text)
    with pytest.raises(BadParameters):
        parsed("{" + " " * 70_000 + "}")


def test_too_many_and_two_alike_are_refused() -> None:
    kinds = load_controllers()["drain"].parameters
    with pytest.raises(BadParameters, match="twice"):
        read_all(kinds, {"units": ["a.service", "a.service"]})
    with pytest.raises(BadParameters, match="1 to 20"):
        read_all(kinds, {"units": [f"{number}.service" for number in range(21)]})


@pytest.mark.parametrize("name", GOOD)
def test_every_word_of_a_command_is_a_word_of_its_own_and_none_is_for_a_shell(name: str) -> None:
    controller = load_controllers()[name]
    given = read_all(controller.parameters, GOOD[name])
    before = dict.fromkeys((*given.get("units", ()), *given.get("more", ()), "dgx-dashboard.service"), "active")
    asked = Asked(given, BOOT_ID, {**before, "entry": "gnulinux-advanced-x>gnulinux-6.17.0-1014-nvidia-advanced-x"})
    for argv in (controller.argv(asked), controller.undo(asked) if controller.undo else ()):
        assert all(isinstance(word, str) and "$" not in word for word in argv)
        assert all("\n" not in word or word in SOURCES for word in argv)
        of_python = {"-c"} if SOURCES & set(argv) else set()
        assert not {"sh", "/bin/sh", "bash", "-c", "env"} & (set(argv) - of_python)


def run(root: Path, *more: str, phase: str = "precheck", **given: Any) -> "subprocess.CompletedProcess[bytes]":
    words = [sys.executable, "-I", "-S", str(PROGRAM), "control", "--root", str(root), "--controller=reboot",
             f"--phase={phase}", f"--act={ACT}", "--fence=1", f"--boot={BOOT_ID}"]  # fmt: skip
    words.append(f"--with={json.dumps(given)}")
    return subprocess.run([*words, *more], capture_output=True, check=False)


def data_of(ran: "subprocess.CompletedProcess[bytes]") -> dict[str, Any]:
    assert ran.returncode == 0, ran.stderr
    data: dict[str, Any] = json.loads(ran.stdout)["data"]
    return data


def test_bad_parameters_are_a_refusal_in_every_phase(tmp_path: Path) -> None:
    root = build_tree(tmp_path, files={"/proc/sys/kernel/random/boot_id": f"{BOOT_ID}\n"})
    for phase in ("precheck", "apply", "observe", "postcheck"):
        data = data_of(run(root, phase=phase, kernel="$(reboot)"))
        assert (data["result"], data["reason"]) == ("refused", "bad_parameters")
        assert data["argv"] == []


@pytest.mark.parametrize(
    "wrong",
    ["--controller=../reset", "--controller=words", "--phase=__init__", "--phase=_done", "--act=xyz", "--act=../x",
     "--fence=-1", "--boot=any", "--fence=99999999999999999999"],
)  # fmt: skip
def test_a_wrong_command_line_ends_with_a_sentence_and_no_document(tmp_path: Path, wrong: str) -> None:
    ran = run(build_tree(tmp_path), wrong)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr.startswith(b"spark_controlctl: ")
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("before", [[], "x", {"a": []}, {"a": {}}, {"a": 1.5}, dict.fromkeys(map(str, range(101)), 1)])
def test_what_was_before_is_flat_and_small(tmp_path: Path, before: Any) -> None:
    root = build_tree(tmp_path, files={"/proc/sys/kernel/random/boot_id": f"{BOOT_ID}\n"})
    data = data_of(run(root, phase="postcheck", before=before))
    assert (data["result"], data["reason"]) == ("refused", "bad_parameters")


def test_hostile_states_of_before_never_become_words(tmp_path: Path) -> None:
    """Names of units come from the parameters; of what was before only the states of these are looked up."""
    controller = load_controllers()["quarantine"]
    given = read_all(controller.parameters, {"units": ["vllm.service"]})
    before = {"vllm.service": "$(reboot)", "evil; reboot.service": "active"}
    assert controller.undo is not None
    words = " ".join(controller.undo(Asked(given, BOOT_ID, before)))
    assert "reboot" not in words


def test_no_tree_has_anything_run_here(tmp_path: Path) -> None:
    """A tree that calls itself simulated and brings stand-ins is still data."""
    facts = {"simulated": True, "acts": str(tmp_path / "evil"), "euid": 0}
    root = build_tree(tmp_path / "tree", files={"/proc/sys/kernel/random/boot_id": f"{BOOT_ID}\n"}, facts=facts)
    for folder in (tmp_path / "evil" / "bin", root / "bin"):
        folder.mkdir(parents=True)
        for name in ("systemctl", "systemd-run", "busctl"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
            (folder / name).chmod(0o755)
    for phase in ("precheck", "apply", "observe"):
        data = data_of(run(root, phase=phase))
        assert (data["result"], data["reason"]) == ("unknown", "missing_tool")
    assert not (tmp_path / "ran").exists()
