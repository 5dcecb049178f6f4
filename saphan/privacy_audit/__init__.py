"""The test federation of the privacy audit: real programs, made-up rows, a budget that the tester sets."""
