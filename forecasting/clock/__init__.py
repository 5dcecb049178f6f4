"""The crime clock: the risk of every hour of the week, and one case in how many minutes, each with its error."""
