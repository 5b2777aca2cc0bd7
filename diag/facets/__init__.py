"""What a machine is, one facet in each file; see `diag/nodekit/facet.py` for what a file holds."""
