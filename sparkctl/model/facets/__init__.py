"""What a node is, one module for each facet; `catalogue.py` names them all."""
