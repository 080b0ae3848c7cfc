"""What is learnt from: the units of a cohort (lesions, patients) as cases and as samples, and those set aside."""
