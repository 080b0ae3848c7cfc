"""What importing costs: torch comes with the modules that compute, not with the packages."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["PulsarCAMLib.training", "PulsarCAMLib.evaluation", "PulsarCAMLib.cohort"])
def test_importing_a_package_does_not_import_torch(package):
    code = f"import sys, {package}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
