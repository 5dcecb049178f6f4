"""/docs: the description of the interface to read and try, from files of our own, under a strict policy."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from gateway.edges.headers import SCRIPTED_PAGE

POLICY: Final = SCRIPTED_PAGE.replace("img-src 'self'", "img-src 'self' data:").replace(
    "form-action 'self'", "form-action 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Saphan gateway: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/vendor/swagger-ui/swagger-ui.css">
</head>
<body>
<main id="swagger-ui"></main>
<script src="/static/vendor/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/static/docs.js"></script>
</body>
</html>
"""

open_routes = APIRouter(include_in_schema=False)


@open_routes.get("/docs")
def page() -> Response:
    """The page; it loads nothing from elsewhere and runs no inline script."""
    return Response(PAGE, media_type="text/html", headers=HEADERS)
