"""Where the module's own test finds what a person does with the panel."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = "PulsarCAMScenarios"
VARIABLE = "PULSARCAM_TESTING"


class ScenariosElsewhere:
    """Stands for the scenarios where an installed extension has none."""

    def begin(self) -> None:
        """Nothing to begin."""

    def end(self) -> None:
        """Nothing to end."""

    def test_scenarios_are_in_the_source(self) -> None:
        """Say where they are."""
        self.skipTest(
            "The installed extension brings no scenarios: get PulsarCAM's source and set PULSARCAM_TESTING to its "
            "folder Testing before Slicer is started."
        )


def find_scenarios(checkout: str | os.PathLike) -> type:
    """The scenarios: tests, so in a checkout they lie in its folder ``Testing`` and are not installed."""
    for testing in (os.environ.get(VARIABLE, ""), Path(checkout) / "Testing"):
        if testing and (Path(testing) / PACKAGE).is_dir():
            if str(testing) not in sys.path:
                sys.path.append(str(testing))
            from PulsarCAMScenarios import Scenarios

            return Scenarios
    return ScenariosElsewhere
