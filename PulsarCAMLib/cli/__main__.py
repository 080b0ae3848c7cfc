"""``python -m PulsarCAMLib.cli``."""

import sys

from PulsarCAMLib.cli import main

if __name__ == "__main__":
    sys.exit(main())
