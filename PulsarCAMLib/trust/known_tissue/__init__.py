"""Do maps find tissue that is known voxel by voxel: planted in synthetic patients, or a mask of a table."""
