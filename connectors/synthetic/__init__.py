"""Made-up people and cases: published figures and planted truths in three datasets, rows that fit in any other."""
