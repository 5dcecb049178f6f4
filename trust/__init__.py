"""The trust registry as members use it: signing its metadata, reading it from a pinned root, keeping it fresh."""
