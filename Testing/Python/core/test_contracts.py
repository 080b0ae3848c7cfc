"""What the small contracts refuse, and what they take for granted."""

import pytest

from PulsarCAMLib.core.inputs import MRI, InputRole
from PulsarCAMLib.core.map_method import MapMethod


@pytest.mark.parametrize(("name", "kind"), [("T1", MRI), ("", MRI), ("output", MRI), ("t1", "picture")])
def test_an_input_needs_a_name_of_its_own_and_a_known_kind(name, kind):
    with pytest.raises(ValueError, match="known kind"):
        InputRole(name, "T1 MRI", kind)
    assert InputRole("t1", "T1 MRI", MRI).table_column == "t1"


def test_a_method_that_names_no_cost_adds_no_pass():
    made = {"name": "m", "title": "M", "unit": "1", "equation": "0", "compute": dict}
    assert MapMethod(**made).passes(3) == 0
    assert MapMethod(**made, cost=2.0, class_cost=0.5).passes(4) == 4
