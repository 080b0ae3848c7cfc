"""Systems whose network takes whole volumes: how images become one sample, and the way back."""
