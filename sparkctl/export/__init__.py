"""What is known of one node in the words of other systems: pure functions, one file for each format."""
