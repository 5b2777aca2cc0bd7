"""Stories of nodes whose evidence is missing: nothing may be claimed of what is not there to be read."""

from dataclasses import replace

from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_past import DAY, HOUR, cut_off, ended, past
from sparkctl.lab.reset_story import Answer, Past, Story, Truth

NOTHING = Answer("any", "any", "any", expected="unknown", data_at_risk="unknown")
BY_SERVICE = Truth("orderly.reboot", "platform_reset.power_kept", "os.service")


def _boots_missed(node: NodeModel) -> Past:
    return past(
        node,
        ended("last", 5 * DAY + 70_014.2),
        cut_off("lost", 3.1 * HOUR, (), in_journal=False),
        ended("lost too", 2.4 * HOUR, in_journal=False),
    )


def _volatile(node: NodeModel) -> Past:
    return past(node, ended("last", 2 * DAY + 5_120.6), storage="volatile")


def _no_rights(node: NodeModel) -> Past:
    return past(node, ended("last", 4 * DAY + 15_431.1), readable=False)


def _without_sudo(node: NodeModel) -> NodeModel:
    return replace(node, sudo=False)


HIDDEN: tuple[Story, ...] = (
    Story(
        "reset-boots-missed", "two boots of which wtmp knows and the journal does not", BY_SERVICE, NOTHING,
        _boots_missed,
    ),
    Story(
        "reset-volatile-journal", "rebooted in good order, with a journal that is kept in memory only", BY_SERVICE,
        NOTHING, _volatile, signs=("forensic.journal",),
    ),
    Story(
        "reset-no-rights", "rebooted in good order; the journal may not be read, and sudo wants a password", BY_SERVICE,
        NOTHING, _no_rights, change=_without_sudo, behaviour="sudo-refused",
    ),
)  # fmt: skip
"""Stories whose evidence is not there."""
