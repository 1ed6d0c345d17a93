"""Whether unstreamed answers are unlike streamed ones more often than streamed ones are unlike each other."""

LEVEL = 0.05
_SEVERAL = 2


def is_beyond_variation(*, n_differing: int, n_compared: int, n_streamed_differing: int, n_streamed: int) -> bool:
    """Test one-sided, exactly (R. A. Fisher, J. Royal Statistical Society 98 (1935) 39), at 5 %.

    Where no stream is unlike its peers, several unstreamed answers that are unlike them are enough.
    """
    if not n_differing or not n_streamed:
        return False
    if not n_streamed_differing and n_differing >= _SEVERAL:
        return True
    from scipy.stats import hypergeom  # noqa: PLC0415  # heavy, and only here

    n, n_all_differing = n_compared + n_streamed, n_differing + n_streamed_differing
    return bool(hypergeom.sf(n_differing - 1, n, n_all_differing, n_compared) <= LEVEL)
