"""May this be done, and on what terms? Pure."""
