"""How many spare blocks are left in the drive?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.nvme import SMART_LOG, SMART_SECONDS, Smart, observe_smart
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Spare blocks of the NVMe drive", seconds=SMART_SECONDS, elevated=(SMART_LOG,))
WARN = 20.0
USUAL_LIMIT = 10.0

observe = observe_smart


def evaluate(seen: Smart) -> Finding:
    if seen.spare is None:
        raise ValueError("the smart-log has no avail_spare")
    limit = USUAL_LIMIT if seen.spare_threshold is None else seen.spare_threshold
    return judged(
        Threshold(
            Comparison.AT_MOST,
            warn=max(WARN, limit),
            fail=limit,
            provenance="NVMe base specification 2.0, SMART / health log: the drive's own threshold; 20 %: judgement",
        ),
        seen.spare,
        f"{seen.spare:g} % of the spare blocks are left, the drive's limit is {limit:g} %",
        action="Copy what matters off the node and replace the drive",
        unit="%",
        locator=" ".join(SMART_LOG),
    )
