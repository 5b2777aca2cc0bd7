"""The kernel log: what is known of it, and what is not."""

import re
from pathlib import Path

import pytest

from diag.checks.gpu_xid import INIT_FAILED, XID
from diag.checks.network_tx_timeout import STALLED
from diag.nodekit.kernel_log import KERNEL_LOG, MAX_BYTES, kernel_log, parse_kernel_log
from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from tests.support.trees import build_tree

BOOT = "[    0.000000] spark kernel: Booting Linux on physical CPU 0x0000000000 [0x410fd871]"


def test_messages_come_oldest_first_and_without_those_of_programs() -> None:
    log = parse_kernel_log(
        f"[   12.500000] spark kernel: late\n[    8.000000] spark systemd[1]: not the kernel\n{BOOT}\n"
    )
    assert [message.text for message in log.messages][1:] == ["late"]
    assert log.messages[1].seconds == 12.5
    assert log.complete


def test_a_cut_log_is_not_complete_even_where_the_boot_is_in_it() -> None:
    log = parse_kernel_log(BOOT, truncated=True)
    assert not log.complete
    with pytest.raises(Unevaluated, match="no trouble is logged, but"):
        log.require_complete("no trouble is logged")


def test_a_log_over_the_limit_keeps_its_newest_part(tmp_path: Path) -> None:
    filler = "".join(f"[{seconds:12.6f}] spark kernel: {'x' * 900}\n" for seconds in range(6000, 0, -1))
    newest = "[ 7000.000000] spark kernel: NVRM: Xid (PCI:000f:01:00): 79, pid=1, GPU has fallen off the bus.\n"
    build_tree(tmp_path, commands=[{"run": " ".join(KERNEL_LOG), "stdout": newest + filler + BOOT + "\n"}])
    assert len(filler) > MAX_BYTES
    log = kernel_log(Machine(str(tmp_path)))
    assert not log.complete
    assert 0 < log.since < 6000
    assert [message.seconds for message, _ in log.matching(re.compile("Xid"))] == [7000.0]


def test_a_hostile_line_does_not_stall_the_patterns() -> None:
    # A pattern that backtracks takes hours over this line.
    log = parse_kernel_log(f"[    1.000000] spark kernel: {'NVRM:Xid' * 100_000}\n{BOOT}")
    assert not any(log.matching(pattern) for pattern in (XID, INIT_FAILED, STALLED))
