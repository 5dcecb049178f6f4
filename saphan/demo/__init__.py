"""The demonstration federation: real programs, synthetic people."""
