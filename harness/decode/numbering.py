"""The index of a choice or a call as servers write it."""

_MOST_DIGITS = 15  # more than anyone counts, fewer than a float rounds


def number_of(index: object) -> object:
    """Give digits in text as their number, anything else as it is."""
    is_number = isinstance(index, str) and index.isascii() and index.isdigit() and len(index) <= _MOST_DIGITS
    return int(index) if is_number and isinstance(index, str) else index


def choice_number(choice: dict[str, object], position: int) -> object:
    """Give a choice's index, or its place where it has none."""
    index = choice.get("index")
    return position if index is None else number_of(index)
