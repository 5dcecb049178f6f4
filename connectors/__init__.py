"""What runs inside an agency, beside its database."""
