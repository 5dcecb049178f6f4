"""Every analysis that the centre makes, with the activities that it reads. One is added here and nowhere else."""

from collections.abc import Sequence
from typing import Final

from contracts.analysis import AnalysisKind, Report
from contracts.release import ReleaseBody
from forecasting.clock.report import report_of as clock_report
from forecasting.clock.week import clocks_of
from forecasting.factors.report import Wanted, factors_report
from forecasting.fairness.assess import assess
from forecasting.fairness.report import report_of as fairness_report
from forecasting.flow.caseload_report import caseload_report
from forecasting.flow.report import flow_report
from forecasting.interventions.areas import GROUP, Counted
from forecasting.interventions.evaluation import Setting, evaluate_plans
from forecasting.interventions.holidays_report import evaluate_holidays
from forecasting.interventions.process_report import process_report
from forecasting.reoffending.report import reoffending_report
from forecasting.technology.report import technology_report
from forecasting.warnings.expected import PooledLevel
from forecasting.warnings.find import watch_areas
from forecasting.warnings.limits import Watch
from forecasting.warnings.report import report_of as warnings_report
from forecasting.weekly.report import weekly_report
from gateway.centre.analyses import Inputs, Standing

MONTHLY: Final = ("crimes-monthly",)
STAGES: Final = ("tpo-stages", "crimes-stages", "oag-monthly", "coj-monthly", "doc-monthly", "dop-results")
RETURNS: Final = ("doc-cohorts", "dop-reoffending")
ONLINE: Final = ("tpo-daily", "tpo-holds", "tpo-trails", "tpo-holders", "crimes-offences")

WATCH: Final = Watch()
FACTORS: Final = Wanted()

Bodies = Sequence[ReleaseBody]


def _warnings(bodies: Bodies, _: Inputs) -> Report:
    return warnings_report(watch_areas(bodies, PooledLevel(), WATCH))


def _clock(bodies: Bodies, _: Inputs) -> Report:
    return clock_report(clocks_of(bodies))


def _fairness(bodies: Bodies, _: Inputs) -> Report:
    return fairness_report(assess(bodies, PooledLevel()))


def _factors(bodies: Bodies, _: Inputs) -> Report:
    return factors_report(bodies, FACTORS)


def _plans(bodies: Bodies, inputs: Inputs) -> Report:
    setting = Setting(counted=Counted(where={GROUP: inputs.groups}), runs=inputs.simulations)
    return evaluate_plans(bodies, [each.plan for each in inputs.plans], inputs.generator, setting)


def _process(bodies: Bodies, _: Inputs) -> Report:
    return process_report(bodies)


def _holidays(bodies: Bodies, inputs: Inputs) -> Report:
    return evaluate_holidays(bodies, inputs.generator, runs=inputs.simulations)


def _weekly(bodies: Bodies, _: Inputs) -> Report:
    return weekly_report(bodies)


def _technology(bodies: Bodies, _: Inputs) -> Report:
    return technology_report(bodies)


def _flow(bodies: Bodies, inputs: Inputs) -> Report:
    return flow_report(bodies, inputs.generator)


def _caseload(bodies: Bodies, inputs: Inputs) -> Report:
    return caseload_report(bodies, inputs.generator)


def _reoffending(bodies: Bodies, inputs: Inputs) -> Report:
    return reoffending_report(bodies, inputs.generator)


ANALYSES: Final = (
    Standing("warnings", AnalysisKind.WARNINGS, _warnings, needs=MONTHLY, options=(WATCH,)),
    Standing("crime-clock", AnalysisKind.CLOCK, _clock, needs=("crimes-clock",)),
    Standing("weekly-forecast", AnalysisKind.WEEKLY, _weekly, needs=("crimes-weekly",)),
    Standing("fairness", AnalysisKind.FAIRNESS, _fairness, needs=MONTHLY, also=("cvs-reported",)),
    Standing("factors", AnalysisKind.FACTORS, _factors, needs=MONTHLY, also=("doc-monthly",), options=(FACTORS,)),
    Standing("holidays", AnalysisKind.HOLIDAYS, _holidays, needs=MONTHLY),
    Standing("evaluation-of-plans", AnalysisKind.EVALUATION, _plans, needs=MONTHLY, of_plans=True),
    Standing("process-of-zones", AnalysisKind.EVALUATION, _process, needs=("ssz-scores",)),
    Standing("technology-crime", AnalysisKind.TECHNOLOGY, _technology, needs=("tpo-monthly",), also=ONLINE),
    Standing("justice-flow", AnalysisKind.FLOW, _flow, also=STAGES),
    Standing("caseload", AnalysisKind.CASELOAD, _caseload, also=("dop-monthly", "dop-results", "dop-em")),
    Standing("reoffending", AnalysisKind.REOFFENDING, _reoffending, also=(*RETURNS, "dop-results")),
)
