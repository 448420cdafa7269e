"""The command line `gpersist`: one module a command, each with a `register` that adds it to the parser.

Owns what people see: arguments, tables, progress bars, exit statuses. Knows nothing of files' formats; asks `gpersist.checkpoint`.
"""

from gpersist.cli.program import main

__all__ = ["main"]
