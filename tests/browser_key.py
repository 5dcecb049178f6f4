"""The pages' own signing module, run by Node's WebCrypto instead of a browser's."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import gateway.web.account_signing

HERE = Path(__file__).parent
MODULE = Path(gateway.web.account_signing.__file__).parent / "static" / "account" / "signing.js"


def signed_in_browser(**asked: object) -> dict[str, Any]:
    """What the module signs; without Node the test is skipped, but fails where CI=true."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Node is needed in CI: apt-get install nodejs", pytrace=False)
        pytest.skip("no Node on this system")
    command = json.dumps({"module": str(MODULE), **asked})
    program = [node, str(HERE / "webcrypto.mjs")]
    done = subprocess.run(program, input=command, capture_output=True, text=True, check=True, timeout=60)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
