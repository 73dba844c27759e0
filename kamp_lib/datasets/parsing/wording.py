"""Times in the words of people, in one plain notation of digits and signs."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# Korean words, weekdays and odd signs in one plain notation, group by group where the
# first pattern of the group occurs at all (RE2, in order).
PLAIN = (
    (
        r"[오년월일시분초]",
        (
            (r"오전", "AM"),
            (r"오후", "PM"),
            (r"[월화수목금토일]요일", " "),
            (r"(\d)\s*[년월]\s*(\d)", r"\1-\2"),
            (r"(\d)\s*월\s*(\d)", r"\1-\2"),
            (r"(\d)\s*[년월일](?:$|[\s,(]+)", r"\1 "),
            (r"(\d)\s*시\s*", r"\1:"),
            (r"(\d)\s*분\s*(\d)", r"\1:\2"),
            (r"(\d)\s*[분초]", r"\1"),
        ),
    ),
    (r"[(\[]", ((r"[(\[][^()\[\]]{1,9}[)\]]", " "),)),  # (금)
    (
        r"[A-Za-z]{3}|\.[Mm]\.",
        (
            (r"(?i)\b([ap])\.m\.", r"\1M"),
            (r"(?i)\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s", " "),
        ),
    ),
    (r"\d\.\d+\.\d+$", ((r"\s(\d{1,2})\.(\d{2})\.(\d{2})$", r" \1:\2:\3"),)),
    (r"\s\s|[^\S ]", ((r"\s+", " "),)),
)


def plain(texts: pa.Array) -> pa.Array:
    """The texts without words, brackets and signs that only people need."""
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pc.utf8_normalize(texts, "NFKC")
    for occurs, replacements in PLAIN:
        if pc.any(pc.match_substring_regex(texts, occurs)).as_py():
            for pattern, replacement in replacements:
                texts = pc.replace_substring_regex(texts, pattern, replacement)
    return pc.utf8_trim_whitespace(texts)
