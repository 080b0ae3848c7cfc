"""Mutation testing: one change at a time in the code, and whether a test sees it."""
