"""The JSON Schemas of everything that travels, made from the values themselves; a test keeps the files true.

``python -m contracts.wire_schemas`` writes them to ``contracts/schemas``.
"""

from pathlib import Path

from pydantic_core import to_json

from contracts.action_plan import ActionPlan, PlanView, Registered, SignedPlans
from contracts.agreement import Agreement
from contracts.analysis import Analysis, PublishedAnalysis
from contracts.breach import Breach, BreachView
from contracts.budget_view import BudgetView
from contracts.dataset import DatasetContract
from contracts.errors import Problem
from contracts.federation import Federation
from contracts.forecast import Forecast, PublishedForecast
from contracts.key_request import KeyRequest
from contracts.people import PeopleAnswer, PeopleOrder
from contracts.personal_data import Disclosure, DisclosureLine, SubjectAct, SubjectCase, SubjectFiling
from contracts.processing import ProcessingRecord
from contracts.publication import AnalysisSummary, ForecastSummary
from contracts.query import Query
from contracts.registry import Charter, RegistryBatch
from contracts.release import Release, ReleaseBody, Withdrawal
from contracts.request import Request
from contracts.retention import IssuedCertificate, RetentionCertificate, RetentionProof
from contracts.retirement import ContractRetirement, RetiredContract
from contracts.suspension import Suspension, SuspensionView
from contracts.task import Lease, LeaseCall, Part, Task
from contracts.transparency import Checkpoint, Cosignature, LogEntry, Receipt
from contracts.values import Value
from contracts.views import (
    AgreementView,
    BudgetLine,
    Preview,
    PreviewCall,
    PublishedContract,
    ReleaseSummary,
    RequestStatus,
    SignedText,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).with_name("schemas")

WIRE: dict[str, type[Value]] = {
    "action-plan": ActionPlan,
    "action-plan-view": PlanView,
    "action-plans-registered": Registered,
    "agreement": Agreement,
    "agreement-view": AgreementView,
    "analysis": Analysis,
    "analysis-summary": AnalysisSummary,
    "breach": Breach,
    "breach-view": BreachView,
    "budget-line": BudgetLine,
    "budget-view": BudgetView,
    "checkpoint": Checkpoint,
    "cosignature": Cosignature,
    "contract-retirement": ContractRetirement,
    "dataset-contract": DatasetContract,
    "disclosure": Disclosure,
    "disclosure-line": DisclosureLine,
    "federation": Federation,
    "forecast": Forecast,
    "forecast-summary": ForecastSummary,
    "issued-certificate": IssuedCertificate,
    "key-request": KeyRequest,
    "lease": Lease,
    "lease-call": LeaseCall,
    "log-entry": LogEntry,
    "part": Part,
    "people-answer": PeopleAnswer,
    "people-order": PeopleOrder,
    "preview": Preview,
    "preview-call": PreviewCall,
    "problem": Problem,
    "processing-record": ProcessingRecord,
    "published-analysis": PublishedAnalysis,
    "published-contract": PublishedContract,
    "published-forecast": PublishedForecast,
    "query": Query,
    "receipt": Receipt,
    "registry-batch": RegistryBatch,
    "registry-charter": Charter,
    "release": Release,
    "release-body": ReleaseBody,
    "release-summary": ReleaseSummary,
    "request": Request,
    "request-status": RequestStatus,
    "retention-certificate": RetentionCertificate,
    "retention-proof": RetentionProof,
    "retired-contract": RetiredContract,
    "signed-plans": SignedPlans,
    "signed-text": SignedText,
    "suspension": Suspension,
    "suspension-view": SuspensionView,
    "subject-act": SubjectAct,
    "subject-case": SubjectCase,
    "subject-request": SubjectFiling,
    "task": Task,
    "withdrawal": Withdrawal,
}
"""Every wire object by the name of its schema."""


def schema_of(name: str) -> dict[str, object]:
    """The schema of one wire object, as its receiver checks it."""
    schema = WIRE[name].model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, "$id": f"urn:saphan:schema:{name}", **schema}


def files() -> dict[str, str]:
    """Every schema file's name and text."""
    return {f"{name}.schema.json": f"{to_json(schema_of(name), indent=2).decode()}\n" for name in WIRE}


def write(folder: Path) -> None:
    """Write every schema file."""
    for file_name, content in files().items():
        (folder / file_name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write(FOLDER)
