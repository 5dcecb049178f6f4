"""The personal-data registers as a member calls them: each function takes its line to the gateway."""

from contracts.breach import Breach, BreachView
from contracts.canonical import canonical_bytes
from contracts.keys import SigningKey
from contracts.personal_data import Disclosure, DisclosureLine, SubjectAct, SubjectCase, SubjectFiling
from contracts.processing import ProcessingRecord
from contracts.retention import IssuedCertificate
from contracts.signing import sign_compact
from contracts.values import Value
from contracts.views import SignedText
from gateway.client import Gateway


def processing_record(gateway: Gateway, agency: str) -> ProcessingRecord:
    """The record of processing of an agency."""
    return gateway.get(f"/v1/processing-records/{agency}", ProcessingRecord)


def disclosures(gateway: Gateway, agency: str | None = None) -> tuple[DisclosureLine, ...]:
    """The register of disclosures of an agency; without one, all that the caller may see."""
    path = "/v1/disclosures" if agency is None else f"/v1/disclosures?agency={agency}"
    return gateway.get_all(path, DisclosureLine, lambda each: f"{each.log_index}-{each.agency}")


def record_disclosure(gateway: Gateway, disclosure: Disclosure, key: SigningKey) -> DisclosureLine:
    """Record a disclosure under the signature of the own officer or DPO."""
    return gateway.post("/v1/disclosures", _signed(disclosure, "disclosure", key), DisclosureLine)


def subject_requests(gateway: Gateway) -> tuple[SubjectCase, ...]:
    """Every person's request that concerns the caller."""
    return gateway.get_all("/v1/subject-requests", SubjectCase, lambda each: each.id)


def subject_request(gateway: Gateway, reference: str) -> SubjectCase:
    """One person's request."""
    return gateway.get(f"/v1/subject-requests/{reference}", SubjectCase)


def file_subject_request(gateway: Gateway, filing: SubjectFiling, key: SigningKey) -> SubjectCase:
    """File a person's request under the signature of the own DPO or officer."""
    return gateway.post("/v1/subject-requests", _signed(filing, "subject-request", key), SubjectCase)


def move_subject_request(gateway: Gateway, act: SubjectAct, key: SigningKey) -> SubjectCase:
    """Move a person's request on under the signature of the own DPO."""
    return gateway.post(f"/v1/subject-requests/{act.request}/acts", _signed(act, "subject-act", key), SubjectCase)


def breaches(gateway: Gateway) -> tuple[BreachView, ...]:
    """Every breach that the caller may see, least time left first."""
    return gateway.get_all("/v1/breaches", BreachView, lambda each: each.breach.id)


def breach(gateway: Gateway, name: str) -> BreachView:
    """One breach."""
    return gateway.get(f"/v1/breaches/{name}", BreachView)


def record_breach(gateway: Gateway, recorded: Breach, key: SigningKey) -> BreachView:
    """Record a breach, or a newer version of one, under the signature of the own DPO or officer."""
    return gateway.post("/v1/breaches", _signed(recorded, "breach", key), BreachView)


def retention_certificates(gateway: Gateway) -> tuple[IssuedCertificate, ...]:
    """What the gateway deleted when its time was over."""
    return gateway.get_all("/v1/retention", IssuedCertificate, lambda each: each.certificate.id)


def _signed(value: Value, kind: str, key: SigningKey) -> SignedText:
    return SignedText(document=sign_compact(canonical_bytes(value), kind, key))
