"""The models: a panel in, a prediction out, nothing else."""
