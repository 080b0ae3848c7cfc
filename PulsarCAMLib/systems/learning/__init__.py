"""How networks learn: what the engine asks of any learner, and a plain one for networks on volumes with its parts."""
