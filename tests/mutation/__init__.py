"""Guard mutation: every guard and every forbid is disabled in turn, and some test must fail."""
