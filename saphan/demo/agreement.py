"""The agreement of the demonstration: what OJA's forecasting centre may ask, and at what price."""

from collections.abc import Mapping
from datetime import date

from contracts.agreement import Activity, Agreement
from contracts.dataset import ContractRef, Text
from contracts.periods import Period
from contracts.query import Family, FamilyTable

AGREEMENT = "oja-forecasting-2569"
LEGAL_BASIS = ("s24-4-public-task", "s24-1-statistics")

CRIMES_MONTHLY = Family(
    tables=(
        FamilyTable(by=("month",), weight=2),
        FamilyTable(by=("month", "offence_group"), weight=3),
        FamilyTable(by=("month", "police_region"), weight=2),
        FamilyTable(by=("month", "police_region", "offence_group"), weight=2),
        FamilyTable(by=("month", "province"), weight=1),
        FamilyTable(by=("month", "province", "offence_group"), weight=10),
    ),
    integers=True,
)
CRIMES_OFFENCES = Family(
    tables=(
        FamilyTable(by=("month", "offence"), weight=1),
        FamilyTable(by=("month", "police_region", "offence"), weight=4),
    )
)
CRIMES_WEEKLY = Family(
    tables=(
        FamilyTable(by=("week",), weight=1),
        FamilyTable(by=("week", "offence_group"), weight=1),
        FamilyTable(by=("week", "police_region", "offence_group"), weight=4),
    )
)
CRIMES_CLOCK = Family(
    tables=(
        FamilyTable(by=("hour", "offence_group"), weight=1),
        FamilyTable(by=("hour", "weekday", "offence_group"), weight=1),
        FamilyTable(by=("hour", "weekday", "police_region", "offence_group"), weight=4),
    ),
    integers=True,
)
PROBATION_MONTHLY = Family(
    tables=(
        FamilyTable(by=("month",), weight=2),
        FamilyTable(by=("month", "type"), weight=2),
        FamilyTable(by=("month", "province"), weight=1),
        FamilyTable(by=("month", "province", "type"), weight=5),
    )
)
"""The weights of all families follow ``saphan family weights``, rounded."""


def activities(contracts: Mapping[str, ContractRef]) -> tuple[Activity, ...]:
    """The standing activities; prices are zCDP of one series in each window, in nano-rho.

    Those of one dataset add up to less than its yearly budget: what is left pays for a revision of the monthly series.

    Args:
        contracts: The three datasets' contracts, by identifier.
    """
    return (
        *_crimes(contracts["crimes_case"]),
        *_complaints(contracts["tpo_complaint"]),
        *_probation(contracts["dop_case"]),
    )


def _crimes(contract: ContractRef) -> tuple[Activity, ...]:
    return (
        _activity(
            contract,
            id="crimes-monthly",
            title=Text(th="คดีอาญารายเดือนรายจังหวัดเพื่อการพยากรณ์", en="Monthly crimes by province, for forecasting"),
            dimensions=("month", "police_region", "province", "offence_group"),
            nano_rho_per_request=120_000_000,
            nano_rho_in_all=240_000_000,
            families=(CRIMES_MONTHLY,),
        ),
        _activity(
            contract,
            id="crimes-offences",
            title=Text(th="คดีอาญารายเดือนรายฐานความผิด", en="Monthly crimes by offence"),
            dimensions=("month", "police_region", "offence"),
            nano_rho_per_request=30_000_000,
            families=(CRIMES_OFFENCES,),
        ),
        _activity(
            contract,
            id="crimes-weekly",
            title=Text(th="คดีอาญารายสัปดาห์รายกองบัญชาการ", en="Weekly crimes by police region"),
            dimensions=("week", "police_region", "offence_group"),
            nano_rho_per_request=40_000_000,
            families=(CRIMES_WEEKLY,),
        ),
        _activity(
            contract,
            id="crimes-clock",
            title=Text(th="นาฬิกาอาชญากรรม", en="Crime clock"),
            purpose="public-information",
            dimensions=("hour", "weekday", "police_region", "offence_group"),
            nano_rho_per_request=30_000_000,
            families=(CRIMES_CLOCK,),
        ),
        _activity(
            contract,
            id="crimes-stages",
            title=Text(th="คดีอาญารายขั้นตอน", en="Crimes by stage of the case"),
            purpose="justice-statistics",
            dimensions=("month", "stage"),
            nano_rho_per_request=15_000_000,
        ),
        _activity(
            contract,
            id="crimes-daily",
            title=Text(th="ตัวนับคดีอาญารายวันทั้งประเทศ", en="Crimes of the country, day by day"),
            purpose="public-information",
            dimensions=("offence_group",),
            nano_rho_per_request=10_000_000,
        ),
    )


def _complaints(contract: ContractRef) -> tuple[Activity, ...]:
    return (
        _activity(
            contract,
            id="tpo-monthly",
            title=Text(th="คดีออนไลน์รายเดือนรายประเภท", en="Online crime by month and type"),
            purpose="justice-statistics",
            measures=("count", "damage_thb:sum", "damage_thb:mean"),
            dimensions=("month", "case_type", "province"),
            nano_rho_per_request=100_000_000,
            nano_rho_in_all=200_000_000,
        ),
        _activity(
            contract,
            id="tpo-daily",
            title=Text(th="ตัวนับคดีออนไลน์รายวันทั้งประเทศ", en="Online crime of the country, day by day"),
            purpose="justice-statistics",
            dimensions=(),
            nano_rho_per_request=20_000_000,
        ),
    )


def _probation(contract: ContractRef) -> tuple[Activity, ...]:
    return (
        _activity(
            contract,
            id="dop-monthly",
            title=Text(th="คดีคุมประพฤติรายเดือนรายประเภท", en="Probation cases by month and type"),
            purpose="justice-statistics",
            dimensions=("month", "province", "type"),
            nano_rho_per_request=60_000_000,
            families=(PROBATION_MONTHLY,),
        ),
        _activity(
            contract,
            id="dop-results",
            title=Text(th="ผลการคุมประพฤติรายประเภทและเดือนที่รับคดี", en="Results of probation by type and month opened"),
            purpose="justice-statistics",
            dimensions=("month", "type", "result"),
            nano_rho_per_request=20_000_000,
        ),
    )


def _activity(contract: ContractRef, **terms: object) -> Activity:
    """A published activity over one dataset; counts for forecasting, unless ``terms`` say otherwise."""
    usual = {"purpose": "crime-forecasting", "legal_basis": LEGAL_BASIS, "measures": ("count",), "publish": True}
    return Activity.model_validate(usual | {"contracts": (contract,)} | terms)


def agreement(contracts: Mapping[str, ContractRef], today: date) -> Agreement:
    """The agreement of OJA with the three agencies, for one year from the first of this month."""
    start = today.replace(day=1)
    return Agreement(
        id=AGREEMENT,
        version=1,
        requester="oja",
        providers=("ccib", "rtp", "dop"),
        drafted_by="oja#officer-1",
        activities=activities(contracts),
        period=Period.model_validate({"from": start, "until": start.replace(year=start.year + 1)}),
        retention_days=1825,
        obligations=("no-reidentification", "cite-source", "delete-at-end"),
    )
