"""Which circumstances go with a higher or lower rate of recorded cases, from released figures alone."""
