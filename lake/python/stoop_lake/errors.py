"""What the commands report instead of a traceback."""


class LakeError(Exception):
    """A mistake in a command or a missing part; the text names the thing, the place and what is accepted."""
