"""The model card of a forecast: what was counted, how figures were made, what they do not say."""

import numpy as np

from contracts.dataset import Text
from contracts.forecast import ModelCard, Score
from forecasting.engine import Outcome
from forecasting.hierarchy import Hierarchy
from forecasting.models.level_filter import NAME as FILTER
from forecasting.models.theta import NAME as THETA
from forecasting.reconcile import Method

_ADDED_UP = {
    Method.MINT_SHRINK: ("MinT-shrink", "MinT-shrink"),
    Method.TREE_WLS: ("กำลังสองน้อยที่สุดแบบถ่วงน้ำหนักบนโครงสร้างต้นไม้", "weighted least squares on the tree"),
    Method.BOTTOM_UP: ("การรวมจากระดับล่างขึ้นบน", "summing from the leaves"),
    Method.NOTHING: ("ไม่มี (มีเพียงระดับเดียว)", "nothing (there is one level)"),
}


def card_of(hierarchy: Hierarchy, outcome: Outcome, horizon: int, scores: tuple[Score, ...]) -> ModelCard:
    """The card of one forecast."""
    leaves = hierarchy.levels[-1]
    alone = int(sum(each.sum() for each in outcome.filter_only))
    sigma = float(np.sqrt(max(panel.noise_variance for panel in hierarchy.levels)))
    months = leaves.months.asfreq("M")
    th, en = _ADDED_UP[outcome.method]
    return ModelCard(
        data=Text(
            th=(
                f"{hierarchy.nodes:,} อนุกรม ({hierarchy.leaves:,} อนุกรมระดับล่างสุด) จากผลเผยแพร่ที่มีสัญญาณรบกวน "
                f"ส่วนเบี่ยงเบนมาตรฐานไม่เกิน {sigma:.1f} ต่อค่า ใช้ค่าที่มีเครื่องหมาย ไม่ตัดค่าติดลบ"
            ),
            en=(
                f"{hierarchy.nodes:,} series ({hierarchy.leaves:,} of the finest level) of released figures with noise "
                f"of standard deviation {sigma:.1f} at most in each; signed, never cut at zero before use."
            ),
        ),
        method=Text(
            th=(
                "ค่าเฉลี่ยของ Dynamic Optimized Theta กับตัวกรองระดับที่ใช้ฤดูกาลร่วมและทราบขนาดสัญญาณรบกวน "
                f"ใช้ตัวกรองอย่างเดียว {alone:,} อนุกรมที่ไม่สูงพ้นสัญญาณรบกวนหรือมีไม่ถึงสองปี ทำให้ยอดรวมตรงกันด้วย{th} "
                f"ช่วงคาดการณ์เป็นแบบทวินามลบ เรียนรู้จากพยากรณ์ย้อนหลัง {outcome.learnt_from} ครั้ง หักสัญญาณรบกวนแล้ว "
                f"พยากรณ์ล่วงหน้า {horizon} ช่วงเวลา"
            ),
            en=(
                "Mean of Dynamic Optimized Theta and a level filter with a pooled season that knows the noise; the "
                f"filter alone for {alone:,} series that do not stand out of their noise or have less than two years. "
                f"Made to add up by {en}. Negative-binomial intervals learnt from {outcome.learnt_from} forecasts of "
                f"the past, less the noise. {horizon} periods ahead."
            ),
        ),
        limits=Text(
            th=(
                "นับเฉพาะที่รับแจ้งและบันทึก ไม่ใช่อาชญากรรมทั้งหมด ไม่รวมผลของกฎหมาย วิธีบันทึก หรือเหตุการณ์ที่ยังไม่เกิด "
                "ไม่ใช้ตัดสินบุคคลและไม่ใช้จัดอันดับพื้นที่"
            ),
            en=(
                "Counts what was reported and recorded, not all crime. Laws, ways of recording and events to come are "
                "not foreseen. Never to judge a person or to rank areas by."
            ),
        ),
        first=str(months[0]),
        last=str(months[-1]),
        models=(THETA, FILTER),
        scores=scores,
    )
