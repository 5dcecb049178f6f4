"""Numbers in, numbers out: panels, models, intervals. Pure."""
