"""Other people's differential privacy on the job of ``./run bench privacy``, each in an environment of its own."""
