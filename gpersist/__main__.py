"""`python -m gpersist`: the command line."""

import sys

from gpersist.cli import main

if __name__ == "__main__":
    sys.exit(main())
