"""What crosses the air gap: seeds, mirrors and transfer bundles. Pure rendering, and the tools that make images."""
