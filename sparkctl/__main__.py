"""`python -m sparkctl` is `sparkctl`."""

from sparkctl.cli.main import main

main()
