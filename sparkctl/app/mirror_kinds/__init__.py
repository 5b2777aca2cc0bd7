"""The kinds of mirrors, each a file: how an entry of mirror.yaml is read, planned, fetched and proven."""
