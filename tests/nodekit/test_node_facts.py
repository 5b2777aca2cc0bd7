"""What a document says of its node when nothing could be read."""

import os

from diag.nodekit.node_facts import NodeFacts


def test_the_name_of_this_machine_is_never_that_of_a_tree() -> None:
    here, elsewhere = (NodeFacts(is_here=is_here).unjudged("timeout", "")[0]["node"] for is_here in (True, False))
    assert here["hostname"] == os.uname().nodename
    assert elsewhere["hostname"] == "unnamed"
