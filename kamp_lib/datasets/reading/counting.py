"""How often a sign stands in a text: as `bytes.count`, but many times as fast."""

from __future__ import annotations

import numpy as np

BLOCK = 1 << 18  # bytes compared at a time: what stays in the processor's cache


def count(text: bytes | memoryview, sign: bytes) -> int:
    """How many times a sign of one byte or two stands in a text.

    Other threads run meanwhile.

    >>> count(b"a,b,c", b","), count(b"1\\r\\n2\\r", b"\\r\\n")
    (2, 1)
    """
    codes = np.frombuffer(text, dtype=np.uint8)
    found = 0
    for first in range(0, len(codes), BLOCK):
        same = codes[first : first + BLOCK] == sign[0]
        if len(sign) == 2:
            after = codes[first + 1 : first + BLOCK + 1] == sign[1]
            same = same[: len(after)] & after
        found += int(np.count_nonzero(same))
    return found
