"""Did a measure change anything? What came against what was forecast, treated areas against untreated ones."""
