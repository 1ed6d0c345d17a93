"""Which read brought what, against a count of single bytes."""

from hypothesis import given
from hypothesis import strategies as st

from harness.model.reads import completing_reads


def test_a_write_is_complete_with_the_read_that_brings_its_last_byte() -> None:
    assert completing_reads([100, 9, 11, 20], [100, 110, 120, 140]) == (0, 2, 2, 3)
    assert completing_reads([], []) == ()


@given(st.lists(st.integers(0, 5), min_size=1).filter(any), st.data())
def test_it_is_the_read_of_the_byte_before_the_end(n_bytes: list[int], data: st.DataObject) -> None:
    read_of_byte = [read for read, n in enumerate(n_bytes) for _ in range(n)]
    ends = data.draw(st.lists(st.integers(1, len(read_of_byte))))
    assert completing_reads(n_bytes, ends) == tuple(read_of_byte[end - 1] for end in ends)
