"""The life of a node from purchase order to disposal, as data and pure functions."""
