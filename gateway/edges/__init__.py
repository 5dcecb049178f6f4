"""The gateway's edges: what is checked of a connection and a message before anybody reads what it says."""
