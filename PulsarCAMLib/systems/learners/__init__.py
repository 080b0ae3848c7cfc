"""How networks on volumes learn: changes of the batch, unequal classes, memory; parts of a plain learner."""
