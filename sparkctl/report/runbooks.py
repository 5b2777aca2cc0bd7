"""The papers that can be made of a playbook."""

from collections.abc import Callable, Mapping

from sparkctl.model.playbook import Playbook
from sparkctl.report.runbook import runbook_of
from sparkctl.report.runbook_ansible import play
from sparkctl.report.runbook_html import page
from sparkctl.report.runbook_markdown import markdown

Paper = Callable[[Playbook, int], str]
"""Makes the text of one, of a playbook and of how many people must approve a plan of it at this site."""

KINDS: Mapping[str, Paper] = {
    "markdown": lambda playbook, approvals: markdown(runbook_of(playbook, approvals)),
    "html": lambda playbook, approvals: page(runbook_of(playbook, approvals)),
    "ansible": play,
}
"""By the word for each on the command line."""
