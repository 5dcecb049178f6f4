"""Which routes take larger bodies than others, so that the listener may turn away what is too large before it comes."""

import re
from typing import Final

from gateway.api.publishing import MOST_BODY_BYTES
from gateway.api.tasks import MOST_PART_BYTES
from gateway.edges.limits import LargerBody

LARGER: Final = (
    LargerBody(method="POST", path=re.compile(rb"/v1/tasks/[^/]+/part"), most_bytes=MOST_PART_BYTES),
    LargerBody(
        method="POST", path=re.compile(rb"/v1/(forecasts|analyses|action-plans)(/.*)?"), most_bytes=MOST_BODY_BYTES
    ),
)
