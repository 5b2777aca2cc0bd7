"""Has the drive lost data that it could not recover?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.nvme import SMART_LOG, SMART_SECONDS, Smart, observe_smart
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Media errors of the NVMe drive", seconds=SMART_SECONDS, elevated=(SMART_LOG,))
ERRORS = Threshold(
    Comparison.ABOVE,
    warn=0,
    provenance="NVMe base specification 2.0, SMART / health log: unrecovered data integrity errors; none is expected",
)

observe = observe_smart


def evaluate(seen: Smart) -> Finding:
    if seen.media_errors is None:
        raise ValueError("the smart-log has no media_errors")
    count = int(seen.media_errors)
    return judged(
        ERRORS,
        count,
        f"The drive counts {count} unrecovered media errors since it was made",
        action="Check the file systems and verify large files; replace the drive if the count grows",
        unit="1",
        locator=" ".join(SMART_LOG),
    )
