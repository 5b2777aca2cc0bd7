"""What crosses an air gap: seeds and images, transfer bundles, and the tree that the far side keeps. No network."""
