"""Reoffending: imprisoned again after release within 12, 24 and 36 months, and reoffending after probation."""
