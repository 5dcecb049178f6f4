"""Files of agencies without an interface: templates to fill in, and the import of what was filled in.

``connectors.intake.run`` is the straight line of one import; all that decides about a cell is pure.
"""
