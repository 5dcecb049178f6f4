"""The agency's own record of what it approved, what it charged and what left."""
