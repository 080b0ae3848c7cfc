"""Made-up heads in millimetres: smooth random fields and healthy anatomy, from which synthetic cohorts are painted."""
