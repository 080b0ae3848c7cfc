"""What heat maps agree with: gradient, intensity, entropy and depth in a lesion; features over a cohort."""
