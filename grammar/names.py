"""Lists of names in one text, as `--wrt x,A` has them."""

from __future__ import annotations


def split_names(text: str) -> list[str]:
    """Return what commas separate that stand outside brackets: `split_names("x, A[0, 1]") == ["x", "A[0, 1]"]`."""
    names, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            names.append("")
        else:
            names[-1] += letter
    return [name.strip() for name in names]
