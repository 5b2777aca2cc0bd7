"""Published lines as a tree: every prefix goes into its field, every line to its boot, and nothing is made up."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.app.reset_text_case import tree_of_text

ENDED, RUNNING = "cmd/journal-1.json", "cmd/journal0.json"
NO_LINE = "no line of this boot was published"


def entries(evidence: str, path: str = ENDED) -> list[dict[str, Any]]:
    return [json.loads(line) for line in tree_of_text(evidence)[path].decode().splitlines()]


def messages(evidence: str, path: str = ENDED) -> list[str]:
    return [entry["MESSAGE"] for entry in entries(evidence, path)]


@pytest.mark.parametrize(
    "line",
    [
        "nvme nvme3: controller went away",
        "[  812.000250] nvme nvme3: controller went away",
        "<3>[  812.000250] nvme nvme3: controller went away",
        "> <3>[  812.000250] nvme nvme3: controller went away",
        "Mar 03 09:14:02 bench kernel: nvme nvme3: controller went away",
        "Mar  3 09:14:02 bench kernel: [  812.000250] nvme nvme3: controller went away",
        "Mar  3 09:14:02 kernel: nvme nvme3: controller went away",
        "/var/log/kern.log.1:Mar  3 09:14:02 bench kernel: nvme nvme3: controller went away",
        "2026-03-03 09:14:02 err kernel: nvme nvme3: controller went away",
        "[Tue Mar  3 09:14:02 2026] nvme nvme3: controller went away",
        "[  +0.000250] nvme nvme3: controller went away",
        "09:14:02 nvme nvme3: controller went away",
        "root@bench:~# [  812.000250] nvme nvme3: controller went away",
        " kernel:nvme nvme3: controller went away",
    ],
)
def test_a_kernel_message_is_the_same_in_each_form_that_people_publish(line: str) -> None:
    (entry,) = entries(line)
    assert entry["MESSAGE"] == "nvme nvme3: controller went away"
    assert (entry["_TRANSPORT"], entry["SYSLOG_IDENTIFIER"]) == ("kernel", "kernel")
    if "812.000250]" in line:
        assert entry["__MONOTONIC_TIMESTAMP"] == entry["_SOURCE_MONOTONIC_TIMESTAMP"] == "812000250"


@pytest.mark.parametrize(
    "line",
    [
        "Mar 03 09:14:02 bench smartd[91]: drive is warm",
        "Mar 03 09:14:02 smartd[91]: drive is warm",
        "[  812.000250] smartd[91]: drive is warm",
        "smartd[91]: drive is warm",
    ],
)
def test_a_program_speaks_in_its_own_name_and_not_as_the_kernel(line: str) -> None:
    (entry,) = entries(line)
    assert (entry["MESSAGE"], entry["SYSLOG_IDENTIFIER"], entry["_PID"]) == ("drive is warm", "smartd", "91")
    assert entry["_TRANSPORT"] != "kernel"


def test_what_the_first_process_becomes_at_the_end_writes_through_the_kernel() -> None:
    (entry,) = entries("[   30.222752] systemd-shutdown[1]: Unmounting file systems.")
    assert (entry["_TRANSPORT"], entry["SYSLOG_IDENTIFIER"]) == ("kernel", "systemd-shutdown")
    assert "_PID" not in entry  # the journal vouches for no process of a line that came through the kernel


def test_the_fields_of_a_verbose_entry_are_kept() -> None:
    evidence = """Tue 2026-03-03 09:14:02.535491 CET
    SYSLOG_IDENTIFIER=systemd-logind
    MESSAGE_ID=98268866d1d54a499c4e98921d93bc40
    MESSAGE=System is powering down.
    SHUTDOWN=power-off
    _PID=702
"""
    (entry,) = entries(evidence)
    assert entry["MESSAGE"] == "System is powering down."
    assert (entry["SHUTDOWN"], entry["_PID"]) == ("power-off", "702")
    assert entry["MESSAGE_ID"] == "98268866d1d54a499c4e98921d93bc40"


def test_a_message_of_many_lines_is_one_entry() -> None:
    evidence = "[ 1843.308145] NVRM: The GPU\n               NVRM: has fallen off the bus\n[ 1843.4396] odd time\n"
    (first, _) = messages(evidence)
    assert first.splitlines()[1].strip() == "NVRM: has fallen off the bus"


def test_notes_of_the_collector_are_no_evidence() -> None:
    tree = tree_of_text("# Kernel panic - not syncing: said the owner\n# next boot: journald renames the journal\n")
    assert not any(b"panic" in content or b"renames" in content for content in tree.values())


@pytest.mark.parametrize(
    "first_words",
    [
        "systemd-journald[300]: File /var/log/journal/0a/system.journal corrupted or uncleanly shut down, renaming it",
        "EXT4-fs (nvme0n1p2): INFO: recovery required on readonly filesystem",
        "BERT: Error records from previous boot:",
        "x86/amd: Previous system reset reason [0x02000800]: hardware watchdog timer expired",
        "systemd-fsck[563]: 0x25: Dirty bit is set. Fs was not properly unmounted",
        "PM: Image signature found, resuming",
    ],
)
def test_what_only_the_next_start_prints_begins_the_next_boot_and_what_follows_is_of_it(first_words: str) -> None:
    evidence = f"usb 1-1: last words\n{first_words}\n[Hardware Error]: more of it\n"
    assert messages(evidence) == ["usb 1-1: last words"]
    assert messages(evidence, RUNNING)[1:] == ["[Hardware Error]: more of it"]


def test_an_unbroken_count_of_the_kernels_clock_is_one_boot() -> None:
    evidence = "[    0.500000] Linux version 6\n[    0.931221] BERT: Error records from previous boot:\n"
    assert messages(evidence, RUNNING) == ["Linux version 6", "BERT: Error records from previous boot:"]


def test_a_clock_that_goes_back_is_another_boot() -> None:
    evidence = "[ 2189.169609] usb 1-1: last words\n[    0.100000] Linux version 6\n"
    assert messages(evidence) == ["usb 1-1: last words"]
    assert messages(evidence, RUNNING) == ["Linux version 6"]


def test_a_heading_begins_the_next_boot() -> None:
    evidence = "usb 1-1: last words\n# next boot\nusb 1-1: first words\n"
    assert (messages(evidence), messages(evidence, RUNNING)) == (["usb 1-1: last words"], ["usb 1-1: first words"])


def test_what_each_boot_prints_once_tells_as_many_boots() -> None:
    line = "{}: x86/amd: Previous system reset reason [0x08000800]: {}\n"
    days = ("Jul 16 04:38:47", "Aug 18 22:19:01", "Aug 27 16:30:36")
    tree = tree_of_text("".join(line.format(day, number) for number, day in enumerate(days)))
    found = [json.loads(tree[f"cmd/journal{index}.json"])["MESSAGE"][-1] for index in ("-2", "-1", "0")]
    assert found == ["0", "1", "2"]
    assert json.loads(tree["cmd/journal-3.json"])["MESSAGE"] == NO_LINE


def test_a_boot_without_published_lines_says_so_and_nothing_else() -> None:
    assert messages("usb 1-1: last words\n", RUNNING) == [NO_LINE]
    assert messages("BERT: Error records from previous boot:\n") == [NO_LINE]


def test_a_tree_of_lines_says_that_it_is_an_excerpt_and_which_boot_runs() -> None:
    tree = tree_of_text("usb 1-1: last words\n")
    running = json.loads(tree[RUNNING])["_BOOT_ID"]
    assert tree["cmd/journal-excerpt"] == b""
    assert tree["proc/sys/kernel/random/boot_id"].decode().strip().replace("-", "") == running
    assert [line.split()[1] for line in tree["cmd/list-boots.txt"].decode().splitlines()][-1] == running


def test_boots_of_a_published_listing_keep_their_ids() -> None:
    older, newer = "6503176bb8ce4a3ca1edd3a9aec02b72", "274ba1486c3e4444a0bd45b86250f50b"
    listing = f"IDX BOOT ID\n -1 {older} Sat 2025-11-01\n  0 {newer} Fri 2025-12-05\n"
    tree = tree_of_text(f"{listing}usb 1-1: last words\n")
    assert json.loads(tree[ENDED])["_BOOT_ID"] == older
    assert tree["proc/sys/kernel/random/boot_id"].decode().strip().replace("-", "") == newer
    assert tree["cmd/list-boots.txt"].decode() == listing


def test_records_of_last_pstore_and_sysfs_become_the_files_that_they_were_read_from() -> None:
    evidence = """reboot   system boot  6.17.0-35-generic Sat Jun 27 19:22:28 2026   still running
Panic#1 Part1
<2>[42894.496228] SError Interrupt on CPU1
root@bench:~# cat /sys/class/watchdog/watchdog1/bootstatus
32
$ grep -c panic /var/log/syslog
"""
    tree = tree_of_text(evidence)
    assert tree["cmd/last-x-F.txt"].decode().splitlines() == [evidence.splitlines()[0]]
    assert tree["sys/fs/pstore/dmesg-ramoops-0"].decode().splitlines() == evidence.splitlines()[1:3]
    assert tree["sys/class/watchdog/watchdog1/bootstatus"] == b"32\n"
    assert tree["cmd/unplaced.txt"].decode().splitlines() == [evidence.splitlines()[-1]]
    assert messages(evidence) == [NO_LINE]


def test_seconds_between_lines_are_those_that_were_printed() -> None:
    times = [
        int(entry["__MONOTONIC_TIMESTAMP"])
        for entry in entries("Mar 03 09:14:02 bench a[1]: x\nMar 03 09:15:32 bench a[1]: y\n")
    ]
    assert times[1] - times[0] == 90_000_000


def test_no_line_leads_out_of_the_tree() -> None:
    tree = tree_of_text("x@y:~# cat /sys/../../etc/passwd\nroot\nx@y:~# cat /proc/./..//a\nroot\n")
    assert not any(".." in path or path.startswith("/") for path in tree)


@given(
    st.lists(
        st.sampled_from(
            [
                "[ 1.5",
                "[    1.500000] ",
                "# next boot",
                "Panic#1 Part1",
                "BERT: ",
                "<1>",
                "\t",
                "é",
                "Feb 29 09:14:02 a b[1]: ",
                "cat /sys/a/b",
                " -1 ",
                "\x1b[0m",
                "99:99:99 ",
                "\n",
                "MESSAGE=",
                "Tue 2026-99-99 09:14:02.535491 CET",
                "[  +0.000250] ",
            ]
        )
        | st.text(max_size=20)
    )
)
def test_whatever_is_published_becomes_a_tree_of_whole_entries_in_order(parts: list[str]) -> None:
    tree = tree_of_text("".join(parts))
    for path, content in tree.items():
        if path.endswith(".json"):
            found = [json.loads(line) for line in content.decode().splitlines()]
            assert found
            assert len({entry["_BOOT_ID"] for entry in found}) == 1
            assert all(int(entry["__MONOTONIC_TIMESTAMP"]) >= 0 for entry in found)
