"""Where results go: one file for each way out."""
