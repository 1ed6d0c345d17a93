"""What a key of a common provider looks like, for whoever must not send, keep or show one."""

_PREFIXES = r"(?:sk|csk|gsk|hf|xai|nvapi|pplx|fw|tgp|r8|ghp|github_pat)[-_]"
_GOOGLE = "AIza"
WEB_TOKEN_FORM = r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\."  # noqa: S105  # a pattern: how a JSON web token begins


def key_form(at_least: int) -> str:
    """Give the pattern of a key with so many characters behind its provider's prefix; Google's keys have ten more."""
    return rf"(?:{_PREFIXES}[A-Za-z0-9_-]{{{at_least},}}|{_GOOGLE}[A-Za-z0-9_-]{{{at_least + 10},}})"
