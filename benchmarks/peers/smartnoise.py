"""SmartNoise SQL on the job; runs in an environment of its own: ``python -m benchmarks.peers.smartnoise ROWS.npz``.

It has no public key sets. ``censor_dims`` is off, so that every cell that has a row is released: that tells which cells
are empty, and the empty ones, which it leaves out, count as 0 here.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import snsql  # type: ignore[import-not-found]  # lives in its own environment

from benchmarks.peers.job import CELLS, DELTA, EPSILON, MONTHS, OFFENCES, PROVINCES, ROWS_OF_A_PERSON, load, tell

QUERY = "SELECT province, mon, offence, COUNT(*) AS n FROM made.cases GROUP BY province, mon, offence"


def main(path: str) -> None:
    """Ask once, and print the figures."""
    job = load(Path(path))
    frame = pd.DataFrame({"person": job.person, "province": job.province, "mon": job.month, "offence": job.offence})
    reader = snsql.from_df(frame, privacy=snsql.Privacy(epsilon=EPSILON, delta=DELTA), metadata=_metadata(len(frame)))
    begin = time.perf_counter()
    _, *rows = reader.execute(QUERY)
    seconds = time.perf_counter() - begin
    noisy = np.zeros(CELLS)
    for province, month, offence, count in rows:
        noisy[(int(province) * MONTHS + int(month)) * OFFENCES + int(offence)] = count
    tell(noisy, job, len(rows), seconds)


def _metadata(rows: int) -> dict[str, object]:
    columns = {
        name: {"type": "int", "lower": 0, "upper": size - 1}
        for name, size in (("province", PROVINCES), ("mon", MONTHS), ("offence", OFFENCES))
    }
    terms = {"rows": rows, "max_ids": ROWS_OF_A_PERSON, "censor_dims": False, "clamp_counts": False}
    return {"": {"made": {"cases": {**terms, "person": {"type": "int", "private_id": True}, **columns}}}}


if __name__ == "__main__":
    main(sys.argv[1])
