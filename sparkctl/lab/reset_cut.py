"""Stories of nodes that went down without a shutdown: panics, hangs, cuts, resets by software."""

from dataclasses import replace

from sparkctl.lab import reset_kernel as kernel
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_lines import SAMPLER, SSHD, commanded, last_words, served, signed_in
from sparkctl.lab.reset_past import DAY, HOUR, Lines, cut_off, past
from sparkctl.lab.reset_story import INFO, Answer, Boot, Dump, Line, Past, Story, Truth

PANICKED = Answer("disorderly.panic", "platform_reset", "any", expected="unknown", data_at_risk="yes")
CUT = Answer("disorderly", "any", "any", expected="unknown", data_at_risk="yes")
FORCED = Truth("disorderly.forced", "platform_reset.power_kept", "os.operator")
PANIC = Truth("disorderly.panic.panic_reboot", "platform_reset.power_kept", "os.kernel_policy.panic")
LEFT_OPEN, RECORD = "forensic.unclean_shutdowns", "boot.pstore"
RESTARTS_AFTER = "/proc/sys/kernel/panic"
BERT = "BERT: [Hardware Error]: Skipped 1 error records"


def _panicked(node: NodeModel) -> Boot:
    """A boot that panicked and was restarted by its kernel ten seconds later; its last seconds are not on the disk."""
    at = 2 * DAY + 18_342.6
    worked = (*kernel.containers(HOUR, 20, 2.3 * HOUR), *served(at - 600, at - 9, 30))
    return cut_off(
        "last", at + 10.1, worked, unsaved=tuple(kernel.serror_panic(node, at)),
        dump=Dump("Panic", at + 0.03), off=38.0,
    )  # fmt: skip


def _panic(node: NodeModel) -> Past:
    return past(node, _panicked(node), files=((RESTARTS_AFTER, "10\n"),))


def _forgotten(node: NodeModel) -> Boot:
    """A boot of weeks ago that panicked, of which nothing is left but its record."""
    at = DAY + 7_204.4
    return cut_off(
        "forgotten", at + 60.3, (), unsaved=tuple(kernel.hung_task_panic(node, at)), dump=Dump("Panic", at + 0.03),
        off=47 * DAY, in_journal=False, in_wtmp=False,
    )  # fmt: skip


def _panic_beside_stale(node: NodeModel) -> Past:
    found = past(node, _panicked(node), files=((RESTARTS_AFTER, "10\n"),))
    return replace(found, boots=(_forgotten(node), *found.boots))


def _silent_beside_stale(node: NodeModel) -> Past:
    found = _silent(node)
    return replace(found, boots=(_forgotten(node), *found.boots))


def _silent(node: NodeModel) -> Past:
    at = 3 * DAY + 61_020.4
    return past(node, cut_off("last", at + 4.2, tuple(served(at - 900, at, 10)), off=96.0))


def _memory_wedge(node: NodeModel) -> Past:
    at = DAY + 33_114.2
    lines = (
        *served(at - 900, at - 120, 30),
        *_sampled(at - 110, (19.28, "3.8 GB", 24.9), (71.4, "4.1 GB", 51.2), (92.42, "46.0 GB", 79.8)),
        *kernel.no_memory(at - 90, count=48, step=3.1),
        *_sampled(at + 70, (98.7, "38.3 GB", 103.4)),
    )
    return past(node, cut_off("last", at + 5.2 * HOUR, lines, off=12.0))


def _sampled(at: float, *rows: tuple[float, str, float]) -> Lines:
    """A line a minute of a program of the site that watches the memory."""
    return tuple(
        Line(at + 61.2 * place, SAMPLER, f"memory full avg10={full} available={available} load1={load}")
        for place, (full, available, load) in enumerate(rows)
    )


def _forced(node: NodeModel) -> Past:
    at = 4 * DAY + 8_014.9
    lines = (*signed_in(at - 60), *commanded(at - 0.4, "/usr/sbin/reboot -f"), *last_words(at))
    return past(node, Boot("last", lines, lasted=at + 1.1))


def _sysrq(node: NodeModel) -> Past:
    at = 6 * DAY + 40_404.3
    lines = (
        *signed_in(at - 75),
        *commanded(at - 1.2, "/usr/bin/tee /proc/sysrq-trigger"),
        *kernel.said(at, INFO, *kernel.SYSRQ, step=0.6),
    )
    return past(node, cut_off("last", at + 4.0, lines, clean=True, off=29.0))


def _smmu_panic(node: NodeModel) -> Past:
    at = 3 * DAY + 57_649.3
    worked = (*kernel.containers(2 * HOUR, 16, 4.4 * HOUR), *served(at - 900, at, 30))
    unsaved = (
        *(kernel.xid(at + 136.2 + place * 0.02, number) for place, number in enumerate((119, 154))),
        *kernel.hung_task_panic(node, at + 225.4),
    )
    boot = cut_off(
        "last", at + 286.0, (*worked, *kernel.smmu_stall(at)), unsaved=unsaved,
        dump=Dump("Panic", at + 225.5), off=38.0,
    )  # fmt: skip
    return past(node, boot, files=((RESTARTS_AFTER, "60\n"), ("/proc/sys/kernel/hung_task_panic", "1\n")))


def _error_skipped(node: NodeModel) -> NodeModel:
    return replace(node, kernel_lines=((0.61, BERT),))


def _gsp(node: NodeModel) -> Past:
    at = 5 * DAY + 4_120.8
    lines = (
        *served(at - 900, at, 30),
        *(kernel.xid(at + 45 * place, number) for place, number in enumerate((119, 120, 154))),
        Line(at + 588, SSHD, "Connection closed by 192.0.2.77 port 41820 [preauth]"),
    )
    return past(node, cut_off("last", at + 611.0, lines, off=35.0))


CUT_OFF: tuple[Story, ...] = (
    Story(
        "reset-panic", "a kernel panic that left a record in firmware memory", PANIC, PANICKED, _panic,
        signs=(RECORD, LEFT_OPEN),
    ),
    Story(
        "reset-panic-stale-record", "a kernel panic with its record, and beside it an older one of another panic",
        PANIC, PANICKED, _panic_beside_stale, signs=(RECORD, LEFT_OPEN),
    ),
    Story(
        "reset-silent", "off at once under GPU load, with nothing in the journal: the most frequent on a GB10",
        Truth("disorderly.silent", "platform_reset.power_lost.brief", "supply.adapter"), CUT, _silent,
        signs=(LEFT_OPEN,),
    ),
    Story(
        "reset-silent-stale-record", "the same with an old record of a panic lying around: it proves nothing",
        Truth("disorderly.silent", "platform_reset.power_lost.brief", "supply.adapter"), CUT, _silent_beside_stale,
        signs=(LEFT_OPEN,),
    ),
    Story(
        "reset-memory-wedge", "unified memory ran out, nothing moved for hours, somebody cut the power",
        Truth("disorderly.hang", "platform_reset.power_lost.brief", "human_physical.unplugged"), CUT, _memory_wedge,
        signs=(LEFT_OPEN,),
    ),
    Story(
        "reset-gsp-silent", "the GPU's firmware stopped answering, and ten minutes later the node was gone",
        Truth("disorderly.hang", "platform_reset.power_kept", "hardware.watchdog"), CUT, _gsp, signs=(LEFT_OPEN,),
    ),
    Story(
        "reset-smmu-panic", "the SMMU stalled, the disk with it, and four minutes later a panic for a hung task",
        PANIC, PANICKED, _smmu_panic, signs=(RECORD, LEFT_OPEN), change=_error_skipped,
    ),
    Story(
        "reset-forced", "rebooted with `reboot -f`: no service was stopped", FORCED,
        Answer("disorderly.forced", "any", "os", expected="unknown", data_at_risk="yes"), _forced,
    ),
    Story(
        "reset-sysrq", "rebooted by SysRq after sync and remount (s, u, b)", FORCED,
        Answer("any", "any", "any", expected="unknown", data_at_risk="unknown"), _sysrq, signs=(LEFT_OPEN,),
    ),
)  # fmt: skip
"""Stories that ended without a shutdown."""
