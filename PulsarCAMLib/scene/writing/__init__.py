"""From results to MRML nodes, all or nothing."""
