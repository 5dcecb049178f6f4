"""The shared language: everything that crosses an agency boundary, and how to check it. No I/O."""
