"""Maps for any network, by gradients or by asking again."""
