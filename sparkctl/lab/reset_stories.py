"""The reset stories of the lab: how a simulated node went down last, and what its evidence proves of that."""

from sparkctl.lab.faults import Fault
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_cut import CUT_OFF
from sparkctl.lab.reset_hidden import HIDDEN
from sparkctl.lab.reset_orderly import ORDERLY
from sparkctl.lab.reset_past import ordinary, restarted
from sparkctl.lab.reset_story import Past, Story

STORIES: dict[str, Story] = {story.name: story for story in (*ORDERLY, *CUT_OFF, *HIDDEN)}
"""Every story by its name."""

STORY_FAULTS: dict[str, Fault] = {name: story.fault() for name, story in STORIES.items()}
"""The same as `lab break` takes them."""


def past_of(node: NodeModel) -> Past:
    """What a node has behind it."""
    told = ordinary(node) if node.past is None else STORIES[node.past].tell(node)
    return restarted(node, told)
