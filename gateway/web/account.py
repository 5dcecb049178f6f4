"""The pages of people's accounts, put into the application."""

from fastapi import FastAPI

from gateway.web import account_pages, account_sign_in, account_signing
from gateway.web.account_route import AccountDesk

ROUTERS = (account_sign_in.routes, account_pages.routes, account_signing.routes)


def add_account_pages(app: FastAPI, desk: AccountDesk) -> None:
    """Give the application the pages of accounts; ``desk`` is what they work with."""
    app.state.accounts = desk
    for router in ROUTERS:
        app.include_router(router)
