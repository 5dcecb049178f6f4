"""All that members do beside asking: publish, agree, look up, withdraw, verify. ``Exchange`` adds the asking."""

from typing import Final

from contracts.budget_view import BudgetView
from contracts.errors import InvalidInput
from contracts.forecast import PublishedForecast
from contracts.release import Release, Withdrawal
from contracts.tiles import Tile
from contracts.views import (
    AgreementView,
    BudgetLine,
    Preview,
    PreviewCall,
    PublishedContract,
    ReleaseSummary,
)
from gateway import agreements, budgets, publishing, publishing_forecasts, receipts
from gateway.caller import Caller
from gateway.means import Means
from gateway.preview import preview
from gateway.store import registry, relay, releases, requests
from gateway.store.relay import Seen

NOBODY: Final = ""
"""A reader that is no agency, so that it sees what all members may see."""


class Records:
    """What the gateway keeps, as its callers see it."""

    def __init__(self, means: Means) -> None:
        self.means = means

    def admit(self, caller: Caller) -> None:
        """Spend the nonce of a call that only reads.

        Raises:
            Refused: ``request-replayed``.
        """
        with self.means.store.transaction() as t:
            requests.spend_nonce(t, caller.kid, caller.nonce, self.means.clock())

    # ------------------------------------------------------------ contracts and agreements

    def publish_contract(self, caller: Caller, published: PublishedContract) -> None:
        """Publish a dataset contract; see ``gateway.publishing``."""
        publishing.publish_contract(self.means, caller, published)

    def contracts(self) -> tuple[PublishedContract, ...]:
        """Every published contract."""
        with self.means.store.read() as r:
            return registry.published(r)

    def contract(self, digest: str) -> PublishedContract:
        """The published contract of that digest.

        Raises:
            InvalidInput: ``unknown-contract``.
        """
        with self.means.store.read() as r:
            found = registry.published(r, digest)
        if not found:
            raise InvalidInput("unknown-contract", contract=digest)
        return found[0]

    def agreements(self) -> tuple[AgreementView, ...]:
        """Every version of every agreement; drafts are not among them."""
        return agreements.everything(self.means, NOBODY)

    def agreement(self, name: str) -> AgreementView:
        """The agreement in force under that name, or its newest version while none is; no draft.

        Raises:
            InvalidInput: ``unknown-agreement``.
        """
        return agreements.one(self.means, NOBODY, name)

    # ------------------------------------------------------------ cost

    def preview(self, caller: Caller, call: PreviewCall) -> Preview:
        """What a question would cost and how good its answer would be; see ``gateway.preview``."""
        return preview(self.means, caller, call)

    def budget(self, _caller: Caller) -> tuple[BudgetLine, ...]:
        """Every window of every published source; all members see what all have spent."""
        return budgets.lines(self.means)

    def budget_view(self, _caller: Caller) -> BudgetView:
        """The budget with its epsilon, and the sums for one person over windows and datasets."""
        return budgets.view(self.means)

    # ------------------------------------------------------------ releases and forecasts

    def release(self, caller: Caller | None, name: str) -> Release:
        """Step (9): a release that the caller (or, for ``None``, everybody) may read, with its receipt.

        Raises:
            InvalidInput: ``unknown-release``.
        """
        reader = caller.agency if caller else None
        with self.means.store.read() as r:
            held = releases.release(r, name, reader, self.means.clock())
        if held is None:
            raise InvalidInput("unknown-release")
        return held.release.model_copy(update={"receipt": receipts.receipt(self.means, held.log_index)})

    def releases(self, caller: Caller | None) -> tuple[ReleaseSummary, ...]:
        """Every release that the caller (or everybody) may read, without its figures, newest first."""
        with self.means.store.read() as r:
            return releases.summaries(r, caller.agency if caller else None, self.means.clock())

    def withdraw(self, caller: Caller, withdrawal: Withdrawal) -> Release:
        """Withdraw or supersede a release; see ``gateway.publishing``."""
        return publishing.withdraw(self.means, caller, withdrawal)

    def publish_forecast(self, caller: Caller, document: str) -> PublishedForecast:
        """Publish a forecast; see ``gateway.publishing_forecasts``."""
        return publishing_forecasts.publish(self.means, caller, document)

    def latest_forecast(self) -> PublishedForecast:
        """The forecast that was published last.

        Raises:
            Unavailable: ``nothing-published``.
        """
        return publishing_forecasts.latest(self.means)

    # ------------------------------------------------------------ the log, and who is there

    def checkpoint(self) -> str:
        """The checkpoint of the log that is on show, with its cosignatures; see ``gateway.receipts.published``."""
        return receipts.published(self.means)

    def tile(self, wanted: Tile) -> bytes | None:
        """A tile of the log, or a bundle of its entries; none when the log is not so long yet."""
        return receipts.tile(self.means, wanted)

    def connectors(self) -> tuple[Seen, ...]:
        """When each connector last asked for work."""
        with self.means.store.read() as r:
            return relay.seen(r)
