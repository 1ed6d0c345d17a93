"""What the measuring process may load."""

import subprocess
import sys

HEAVY = ("numpy", "pandas", "scipy", "matplotlib", "jinja2")
LOOK = """
import sys
from pathlib import Path
from harness.cli.measuring import Request, _header, _prepare, _start
from harness.cli.options import resolve_golden
from harness.clock import SystemClock
from harness.model.endpoint import Endpoint
from harness.model.record import Arm
from harness.model.settings import Settings
from harness.model.storage import RunWriter
endpoint = Endpoint(name="a", base_url="http://127.0.0.1:1/v1", model="m")
request = Request(
    endpoints={{Arm.REFERENCE: endpoint}}, golden=resolve_golden(None), settings=Settings(), out=Path()
)
start = _start(request, None)
session = _prepare(request, start)
_header(request, start.plan, SystemClock())
print(len(start.plan.blocks) > 100, [name for name in {heavy!r} if name in sys.modules])
"""


def test_all_that_stands_before_the_first_request_loads_no_arrays_plots_or_pages() -> None:
    code = LOOK.format(heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"


def test_a_worker_loads_none_of_them_either() -> None:
    code = f"import sys, harness.measure.worker; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
