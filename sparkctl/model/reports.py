"""What runs end with, each kind with a report of its own."""

from sparkctl.model.bundle_report import BundleReport
from sparkctl.model.collection import CollectReport
from sparkctl.model.reset_report import ResetReport
from sparkctl.model.sweep import SweepReport

RunReport = SweepReport | CollectReport | ResetReport | BundleReport
