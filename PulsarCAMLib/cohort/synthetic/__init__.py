"""Synthetic cohorts with a truth known voxel by voxel: heads, lesions and their course, scanners, files."""
