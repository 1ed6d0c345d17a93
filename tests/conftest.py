"""How far the properties are searched; `--hypothesis-profile=far` looks longer."""

from hypothesis import settings

settings.register_profile("usual", deadline=None)  # a busy machine is no fault of an example
settings.register_profile("far", deadline=None, max_examples=1500)
settings.load_profile("usual")
