"""Small widgets and what draws them."""
