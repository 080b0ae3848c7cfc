"""The panel's inputs: images and lesions by role, and the model."""
