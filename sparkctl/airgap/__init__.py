"""What crosses an air gap: the file format of transfer bundles, and the tree that the far side keeps. No network."""
