"""The budget as a member reads it, over one ``Gateway``."""

from contracts.budget_view import BudgetView
from gateway.client import Gateway


def budget_view(gateway: Gateway) -> BudgetView:
    """Every window with its epsilon, and the sums for one person over windows and over datasets."""
    return gateway.get("/v1/budget/sums", BudgetView)
