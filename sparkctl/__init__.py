"""sparkctl looks after a fleet of DGX Spark nodes over SSH."""

__version__ = "0.1.0"
