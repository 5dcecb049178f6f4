"""Benchmarks: each prints both sides of its ratio from one run."""
