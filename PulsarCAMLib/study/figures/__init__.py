"""What a study's trials come to: results by model, differences, the same lesions, and sentences with these figures."""
