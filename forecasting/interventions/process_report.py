"""The scores of the Smart Safety Zones' components, month by month, as a report of their own: no effect is claimed."""

from collections.abc import Sequence

from contracts.analysis import AnalysisKind, Report, Statement, Table
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.forecast import ModelCard
from contracts.release import ReleaseBody
from forecasting.interventions.process import DATASET, process_scores
from forecasting.interventions.report import UNITS, column, say, sources

HEADS = ("month", "score", "mean", "error_95")
TITLE = Text(
    th="คะแนนการดำเนินงานของ Smart Safety Zone รายเดือน", en="How the Smart Safety Zones are carried out, month by month"
)
METHOD = Text(
    th="ค่าเฉลี่ยของคะแนนทุกสถานีในเดือน คือผลรวมหารด้วยจำนวนสถานี ทั้งสองค่ามีสัญญาณรบกวน",
    en="The mean of a month over all stations: the sum by their number, both with their noise.",
)
LIMITS = Text(
    th="คะแนนบอกว่าทำอะไรไปแล้ว ไม่บอกว่าคดีเปลี่ยนไปเพราะโครงการหรือไม่",
    en="A score says what was done. Whether crime changed with it is not told here.",
)


def process_report(bodies: Sequence[ReleaseBody]) -> Report:
    """The report on the scores.

    Args:
        bodies: Releases of the stations' scores by month.

    Raises:
        InvalidInput: ``release-not-a-series``, when they tell no score of any month.
    """
    scores = process_scores(bodies)
    if not scores:
        raise InvalidInput("release-not-a-series", why="it has no score by month")
    months = sorted({each.month for each in scores})
    rows = tuple((each.month, each.score, round(each.mean, 2), round(each.error_95, 2)) for each in scores)
    columns = tuple(column(each, UNITS.get(each, "")) for each in HEADS)
    return Report(
        kind=AnalysisKind.EVALUATION,
        title=TITLE,
        statements=(Statement(text=say("process")),),
        tables=(
            Table(name="process", title=say("table_process"), columns=columns, rows=rows),
            sources([each.id for each in bodies]),
        ),
        card=ModelCard(
            data=say("data", dataset=DATASET, releases=len(bodies)),
            method=METHOD,
            limits=LIMITS,
            first=months[0],
            last=months[-1],
            models=("monthly-mean",),
        ),
    )
