"""``python -m ziggurat``: the command line."""

import sys

from ziggurat.surface.cli import main

if __name__ == "__main__":
    sys.exit(main())
