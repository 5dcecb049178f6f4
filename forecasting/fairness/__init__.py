"""Checks before publication: who is not heard, whom the model serves worse, and whether the police see themselves."""
