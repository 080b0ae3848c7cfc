"""Features a radiologist understands, to set beside the network: radiomics, gradients, dose, clinical columns."""
