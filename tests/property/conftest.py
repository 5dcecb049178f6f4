"""Property tests say what holds, not how fast: on a shared machine a deadline would only measure the neighbours."""

from hypothesis import settings

settings.register_profile("shared", deadline=None)
settings.load_profile("shared")
