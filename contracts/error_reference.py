"""The error catalogue as a page of the reference: ``python -m contracts.error_reference`` prints it."""

from contracts.error_catalogue import CATALOGUE

HEAD = """# Errors

Every refusal and fault has a stable code and number, says what was spent, and what to do next, in Thai and English.
On the wire it is RFC 9457 problem details (`application/problem+json`) with the fields `code`, `number`, `detail`,
`detail_th`, `advice`, `advice_th`, `spent` and `reasons` (every rule that said no). Words in braces are filled in.

| numbers | family | exit code | what the caller can do |
|---|---|---|---|
| 11xx, 15xx | invalid input | 2 | correct it and send it again |
| 12xx, 16xx | refused | 3 | read the reasons; change what is asked or agreed |
| 13xx | unavailable | 4 | wait, or start what is down |
| 14xx | integrity | 5 | stop and tell the auditors |
"""


def page() -> str:
    """The page, in Markdown, ordered by number."""
    sections = [HEAD]
    for code, entry in sorted(CATALOGUE.items(), key=lambda item: item[1].number):
        sections.append(
            f"## {entry.number} `{code}`\n{entry.en}\n{entry.th}\n\n"
            f"*What to do:* {entry.advice_en}\n*สิ่งที่ต้องทำ:* {entry.advice_th}\n"
        )
    return "\n".join(sections)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  # a program that prints
