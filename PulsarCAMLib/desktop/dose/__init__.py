"""What the planned dose is told with, for scripts and the panel."""
