"""Kinds of evidence, one in each file.

A source has a `SECONDS` (its budget), an `ELEVATED` (argv that it runs as root where the run allows it) and a
`read(machine, scope)` that returns a `Report`. It raises OSError, MissingTool, ValueError or Unevaluated where there is
nothing to report: then it was not read.
"""
