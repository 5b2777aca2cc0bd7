"""The commands that an act needs, as a simulated node has them: each changes the node's state in its lab's folder."""
