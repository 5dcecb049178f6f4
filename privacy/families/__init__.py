"""Families of tables: measured together in one charge, made to agree with each other by least squares."""
