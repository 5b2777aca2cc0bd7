"""Who may say what: a message counts only from the one who can know, at the place where it means something."""

import pytest

from diag.reset.entries import Entry
from diag.reset.messages import ALARMS, BEGINNING, ENDING, seen_in
from diag.reset.sources.journal import things_in
from tests.reset.evidence_of import entry, of_init, of_journald, of_kernel


def kinds(*entries: Entry) -> set[str]:
    return {one.kind for one in seen_in(entries, ENDING + BEGINNING + ALARMS, "here")}


def of_logind(message: str) -> Entry:
    return entry(message, _PID="700", _UID="0", SYSLOG_IDENTIFIER="systemd-logind")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Reached target reboot.target - System Reboot.", "target_reboot"),
        ("Reached target Reboot.", "target_reboot"),
        ("Reached target poweroff.target - System Power Off.", "target_poweroff"),
        ("Reached target Power-Off.", "target_poweroff"),
        ("Reached target halt.target - System Halt.", "target_halt"),
        ("Reached target kexec.target - Reboot via kexec.", "target_kexec"),
        ("Shutting down.", "init_ends"),
    ],
)
def test_only_the_first_process_reaches_a_target(message: str, kind: str) -> None:
    assert kind in kinds(of_init(message))
    forged = entry(message, _PID="4711", _UID="0", SYSLOG_IDENTIFIER="systemd", _TRANSPORT="syslog")
    piped = entry(message, _PID="4711", _UID="0", SYSLOG_IDENTIFIER="systemd", _TRANSPORT="stdout")
    by_root = entry(message, SYSLOG_IDENTIFIER="systemd", _TRANSPORT="kernel", _PID="1", SYSLOG_FACILITY="3")
    assert kinds(forged) == kinds(piped) == kinds(by_root) == set()


def test_a_panic_is_the_kernels_own_word() -> None:
    words = "Kernel panic - not syncing: hung_task: blocked tasks"
    assert kinds(of_kernel(words)) == {"kernel_panic"}
    assert kinds(entry(words, _PID="9", SYSLOG_IDENTIFIER="kernel", _TRANSPORT="syslog")) == set()
    assert kinds(entry(words, SYSLOG_IDENTIFIER="mytool", _TRANSPORT="kernel")) == set()
    by_root = entry(words, SYSLOG_IDENTIFIER="kernel", SYSLOG_FACILITY="1", _TRANSPORT="kernel")
    assert kinds(by_root) == set()
    assert kinds(of_kernel("Command line: root=/dev/sda panic=60 Kernel panic - not syncing")) == {"command_line"}


def test_a_request_is_logind_s_word() -> None:
    assert kinds(of_logind("System is rebooting (Planned maintenance).")) == {"logind_verb", "verb_reboot"}
    assert kinds(of_logind("The system will power off now!")) == {"logind_request"}
    assert kinds(of_logind("Power key pressed short.")) == {"power_key"}
    user = entry("System is rebooting.", _PID="8", _UID="1000", SYSLOG_IDENTIFIER="systemd-logind", _TRANSPORT="syslog")
    assert kinds(user) == set()


@pytest.mark.parametrize(
    "harmless",
    [
        "watchdog: watchdog0: watchdog did not stop!",
        "thermtrip: will shut down when cpu reaches 101000 mC",
        "OOM killer disabled.",
        "process '/tmp/critical temperature reached' started with executable stack",
        "PCIe Bus Error: severity=Correctable",
        "mce: [Hardware Error]: Machine check events logged",
    ],
)
def test_words_that_frighten_and_mean_nothing(harmless: str) -> None:
    assert kinds(of_kernel(harmless)) == set()


@pytest.mark.parametrize(
    ("message", "kind", "value"),
    [
        ("NVRM: Xid (PCI:000f:01:00): 119, pid=3849, name=KMS thread, Timeout after 45s", "xid", "119"),
        ("thermal thermal_zone3: critical temperature reached (80 C), shutting down", "thermal_critical", None),
        ("reboot: HARDWARE PROTECTION shutdown (Temperature too high)", "thermal_critical", "Temperature too high"),
        ("arm-smmu-v3 arm-smmu-v3.0.auto: CMD_SYNC timeout at 0x0000eaab [hwprod 0x0000eab0]", "smmu_stall", None),
        ("Memory cgroup out of memory: Killed process 1527 (python3) total-vm:9k", "oom_kill", None),
    ],
)
def test_alarms_of_the_kernel(message: str, kind: str, value: str | None) -> None:
    (one,) = seen_in([of_kernel(message)], ENDING + ALARMS, "here")
    assert (one.kind, one.value) == (kind, value)


def test_the_last_of_a_kind_is_told_with_how_many_there_were() -> None:
    xid = "NVRM: Xid (PCI:000f:01:00): {}, pid=1"
    (one,) = seen_in(
        [of_kernel(xid.format(13), 5), of_kernel(xid.format(119), 9), of_kernel(xid.format(31), 7)], ALARMS, "x"
    )
    assert (one.value, one.count, one.at_s) == ("119", 3, 9.0)


def test_only_what_is_recovered_before_the_first_process_is_the_root() -> None:
    line = "EXT4-fs (dm-7): INFO: recovery required on readonly filesystem"
    started = of_init("systemd 255 running in system mode", 3)
    for at, told in ((1.2, True), (400.0, False)):
        found = things_in([of_init("Started cron.service.", 500)], [of_kernel(line, at), started], "here")
        assert any(one.kind == "root_recovered" for one in found) is told


UNCLEAN = "File /var/log/journal/ab/system.journal corrupted or uncleanly shut down, renaming and replacing."


def unclean_of(*entries: Entry) -> bool:
    return any(one.kind == "journal_unclean" for one in things_in(list(entries), list(entries), "here"))


def test_only_the_first_journald_of_a_boot_tells_of_the_boot_before() -> None:
    started = of_journald("Journal started", 2, pid="200")
    assert unclean_of(started, of_journald(UNCLEAN, 9, pid="200"))
    assert not unclean_of(started, of_journald(UNCLEAN, 40, pid="3001"))
    assert not unclean_of(started, of_journald(UNCLEAN, 1_527_808, pid="200"))


def test_a_restart_of_user_space_is_not_the_boot_before() -> None:
    before = of_init("Soft-rebooting.", 30)
    assert not unclean_of(before, of_journald(UNCLEAN, 31))


def test_what_a_program_says_after_a_panic_shows_that_it_was_none() -> None:
    panic = of_kernel("Kernel panic - not syncing: Asynchronous SError Interrupt", 50)
    assert "kernel_panic" in {one.kind for one in things_in([panic, of_kernel("Rebooting in 5 seconds..", 51)], [], "")}
    assert "fatal_words" in {one.kind for one in things_in([of_kernel("sysrq: Trigger a crash", 50)], [], "")}
    assert "kernel_panic" not in {one.kind for one in things_in([panic, of_init("Started cron.service.", 60)], [], "")}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"SYSLOG_IDENTIFIER": "sudo", "MESSAGE": "alice : TTY=pts/0 ; COMMAND=/usr/sbin/reboot"}, "operator_command"),
        ({"SYSLOG_IDENTIFIER": "kexec", "MESSAGE": "Will now restart with kexec"}, "kexec_tools"),
        ({"SYSLOG_IDENTIFIER": "upsmon", "MESSAGE": "UPS myups on battery"}, "ups"),
    ],
)
def test_what_any_user_may_log_in_the_words_of_another_is_nothing(fields: dict[str, str], kind: str) -> None:
    words = {**fields, "_TRANSPORT": "syslog", "_SYSTEMD_UNIT": "session-4.scope", "_EXE": "/usr/bin/logger"}
    message = words.pop("MESSAGE")
    assert kinds(entry(message, 1.0, **words, _UID="1000")) == set()
    assert kinds(entry(message, 1.0, **words, _UID="0")) == {kind}


def test_a_daemon_that_runs_under_a_user_of_its_own_is_known_by_its_unit_and_sudo_by_its_file() -> None:
    upsmon = {"SYSLOG_IDENTIFIER": "upsmon", "_UID": "121", "_SYSTEMD_UNIT": "nut-monitor.service"}
    assert kinds(entry("UPS myups on battery", 1.0, **upsmon)) == {"ups"}
    claimed = {**upsmon, "_SYSTEMD_UNIT": "user@1000.service", "UNIT": "nut-monitor.service"}
    assert kinds(entry("UPS myups on battery", 1.0, **claimed)) == set()
    sudo = {"SYSLOG_IDENTIFIER": "sudo", "_UID": "1000", "_EXE": "/usr/bin/sudo"}
    assert kinds(entry("alice : TTY=pts/0 ; COMMAND=/usr/sbin/reboot", 1.0, **sudo)) == {"operator_command"}


def test_a_reset_register_is_read_in_its_whole_words() -> None:
    """One that names an error of another kind is not taken for this one."""
    register = "x86/amd: Previous system reset reason [0x08000800]: an uncorrected error caused a data fabric "
    assert kinds(of_kernel(f"{register}sync flood event")) == {"reset_by_error"}
    assert kinds(of_kernel(f"{register}sync drill")) == set()
