"""Made-up people and cases: three datasets calibrated on published figures, with planted truths; rows that fit, for any."""
