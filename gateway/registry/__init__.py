"""The trust registry at the gateway: taking in what members sign, saying what is fresh, reading it as clients do."""
