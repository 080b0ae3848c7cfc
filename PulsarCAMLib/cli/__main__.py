"""``python -m PulsarCAMLib.cli``."""

from . import program

if __name__ == "__main__":
    program()
