"""Private keys at rest and at work: sealed files, keys in a hardware module, and the folder that holds them."""
