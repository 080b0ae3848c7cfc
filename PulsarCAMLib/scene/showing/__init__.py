"""How results look, and in which views."""
