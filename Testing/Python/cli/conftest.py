"""A model bundle for the command line's tests."""

import pytest
from making_models import random_bundle


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "random"
    random_bundle(folder)
    return str(folder)


@pytest.fixture
def pulsarcam(model, two_ways, capfd):
    """Runs the command line in this process: gives exit code, stdout, stderr."""
    from PulsarCAMLib.cli import main

    def run(*arguments):
        arguments = [str(a) for a in arguments]
        if arguments[0] in ("explain", "demo") and "--model" not in arguments:
            arguments += ["--model", model]
        code = main(arguments)
        return code, *capfd.readouterr()

    return run
