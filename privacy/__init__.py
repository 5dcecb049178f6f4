"""How is it protected? Pure apart from the randomness of the noise."""
