"""Pictures of the page in every dress, for people to look at: python -m tests.web.shots FOLDER."""

import sys
from pathlib import Path

from tests.web.pages import browsing, serving
from tests.web.sample import PublishedRecord, everything

DRESSES = (
    ("home", "/", 1280, "light"),
    ("dark", "/", 1280, "dark"),
    ("mobile", "/", 390, "light"),
    ("mobile-dark-en", "/?lang=en", 390, "dark"),
    ("english", "/?lang=en&group=G2&province=50", 1280, "light"),
)


def main(folder: Path) -> None:
    with browsing() as browser, serving(everything()) as full, serving(PublishedRecord()) as empty:
        pages = [*((name, full + path, width, scheme) for name, path, width, scheme in DRESSES)]
        pages.append(("empty", f"{empty}/", 1280, "light"))
        for name, address, width, scheme in pages:
            context = browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
                locale="th-TH",
            )
            page = context.new_page()
            page.goto(address)
            page.evaluate("document.fonts.ready")
            page.screenshot(path=folder / f"{name}.png", full_page=True)
            context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
