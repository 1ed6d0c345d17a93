"""Damaged responses through everything that reads them: nothing raises, nothing hangs, memory stays bounded.

Each response is one of the hand-written ones of tests/decode with up to six mutations, cut into reads at random; one in
a hundred repeats a piece of itself up to 200 kB. It is decoded, its message is taken for a next request, and its answer
is judged by every kind of check and by the tool ladder. Response k of a seed is always the same one: `--first k --count
1` repeats it, `--show` prints it.
"""
