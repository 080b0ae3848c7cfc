"""From MRML nodes to what the library computes with."""
