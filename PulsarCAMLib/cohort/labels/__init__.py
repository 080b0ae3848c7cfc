"""What became of a lesion or a patient: computed from volumes or visits, typed, and whether all of it agrees."""
