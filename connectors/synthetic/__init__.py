"""Synthetic people and cases of three agencies, calibrated on published figures, with truths planted in them."""
