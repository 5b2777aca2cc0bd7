"""What a running boot has armed and counts, kept from visit to visit, so that its own end can be told."""

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from sparkctl.model.base import MAX_INTEGER, Record, Word

BOOT_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
BootId = Annotated[str, StringConstraints(pattern=f"^{BOOT_ID.pattern}$")]
"""A boot id as /proc/sys/kernel/random/boot_id has it."""

Seconds = Annotated[float, Field(ge=0, le=2**40)]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class Witnesses(Record):
    """What the running boot has armed, so that its own end can be told; null where that could not be read.

    Kept by the bastion from visit to visit. `uptime_s` in seconds, `watchdog_state` as sysfs has it, `tpm_clock_ms` the
    milliseconds that the TPM had power. What older stores do not have is null.
    """

    boot_id: BootId | None
    uptime_s: Seconds | None
    journal_persistent: bool | None
    pstore_backend: Word | None
    watchdog_identity: Word | None
    watchdog_state: Word | None
    watchdog_bootstatus: Count | None
    panic_timeout_s: Annotated[int, Field(ge=-(2**31), le=2**31)] | None
    crash_kernel_loaded: bool | None
    unsafe_shutdowns: Count | None
    power_cycles: Count | None
    tpm_reset_count: Count | None = None
    tpm_restart_count: Count | None = None
    tpm_clock_ms: Count | None = None
    tpm_clock_safe: bool | None = None
