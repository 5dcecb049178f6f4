"""Warnings: areas where more was reported than was forecast, by control limits with a stated false-alarm rate."""
