"""The network: its sizes, its layers, and all members of an ensemble in one batched pass."""
