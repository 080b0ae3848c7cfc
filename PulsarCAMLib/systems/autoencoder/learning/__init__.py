"""How it learns: the joint loss, the fast pass through it, phases of a training, and what is looked at on the way."""
