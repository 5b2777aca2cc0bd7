"""How much of its rated endurance has the drive used?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.nvme import SMART_LOG, SMART_SECONDS, Smart, observe_smart
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Wear of the NVMe drive", seconds=SMART_SECONDS, elevated=(SMART_LOG,))
USED = Threshold(
    Comparison.AT_LEAST,
    warn=80.0,
    provenance="NVMe base specification 2.0, SMART / health log: 100 is the rated life, not a failure; 80: judgement",
)

observe = observe_smart


def evaluate(seen: Smart) -> Finding:
    if seen.used is None:
        raise ValueError("the smart-log has no percent_used")
    return judged(
        USED,
        seen.used,
        f"{seen.used:g} % of the rated endurance of the drive are used",
        action="Order a replacement drive and plan the exchange; look for what writes so much",
        unit="%",
        locator=" ".join(SMART_LOG),
    )
