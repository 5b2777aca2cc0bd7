"""What runs end with, each kind with a report of its own."""

from sparkctl.model.bundle_report import BundleReport
from sparkctl.model.collection import CollectReport
from sparkctl.model.reset_report import ResetReport
from sparkctl.model.sweep import SweepReport

RunReport = SweepReport | CollectReport | ResetReport | BundleReport

COMMAND_OF = {
    "sparkctl.sweep-report/1": "health",
    "sparkctl.collect-report/1": "collect",
    "sparkctl.reset-report/1": "reset-reason",
    "sparkctl.bundle-report/1": "bundle collect",
}
"""The command whose runs end with the report of a schema."""
