"""The agreement of the demonstration: what OJA's forecasting centre may ask, and at what price."""

from collections.abc import Mapping
from datetime import date

from contracts.agreement import Activity, Agreement
from contracts.dataset import ContractRef, Text
from contracts.periods import Period
from contracts.query import Family, FamilyTable

CRIMES_MAP = Family(
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
"""Nation, police regions and provinces by offence group; the weights follow ``saphan family weights``."""

AGREEMENT = "oja-forecasting-2569"
LEGAL_BASIS = ("s24-4-public-task", "s24-1-statistics")


def activities(contracts: Mapping[str, ContractRef]) -> tuple[Activity, ...]:
    """The standing activities; prices are zCDP of one request in each window, in nano-rho.

    Args:
        contracts: The three datasets' contracts, by identifier.
    """
    crimes, complaints, probation = (contracts[name] for name in ("crimes_case", "tpo_complaint", "dop_case"))
    return (
        Activity(
            id="crimes-monthly",
            title=Text(th="คดีอาญารายเดือนรายจังหวัดเพื่อการพยากรณ์", en="Monthly crimes by province, for forecasting"),
            purpose="crime-forecasting",
            legal_basis=LEGAL_BASIS,
            contracts=(crimes,),
            measures=("count",),
            dimensions=("month", "police_region", "province", "offence_group"),
            nano_rho_per_request=120_000_000,
            publish=True,
            families=(CRIMES_MAP,),
        ),
        Activity(
            id="crimes-clock",
            title=Text(th="นาฬิกาอาชญากรรม", en="Crime clock"),
            purpose="public-information",
            legal_basis=LEGAL_BASIS,
            contracts=(crimes,),
            measures=("count",),
            dimensions=("hour", "offence_group"),
            nano_rho_per_request=20_000_000,
            publish=True,
        ),
        Activity(
            id="tpo-monthly",
            title=Text(th="คดีออนไลน์รายเดือนรายประเภท", en="Online crime by month and type"),
            purpose="justice-statistics",
            legal_basis=LEGAL_BASIS,
            contracts=(complaints,),
            measures=("count", "damage_thb:sum", "damage_thb:mean"),
            dimensions=("month", "case_type", "province"),
            nano_rho_per_request=100_000_000,
            publish=True,
        ),
        Activity(
            id="dop-monthly",
            title=Text(th="คดีคุมประพฤติรายเดือนรายประเภท", en="Probation cases by month and type"),
            purpose="justice-statistics",
            legal_basis=LEGAL_BASIS,
            contracts=(probation,),
            measures=("count",),
            dimensions=("month", "type"),
            nano_rho_per_request=50_000_000,
            publish=True,
        ),
    )


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
