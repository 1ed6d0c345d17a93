"""The list of models, the only other thing that the endpoint serves."""

import msgspec

from harness.simulator.apierror import RefusedRequest
from harness.simulator.bodies import Headers, json_script
from harness.simulator.refusals import check_method, no_such_model, no_such_path
from harness.simulator.script import Script

_PATH = "/v1/models"


def models_script(method: str, path: str, model: str, headers: Headers) -> Script:
    """Serve the list or its one entry; RefusedRequest (404) for everything else."""
    entry = {"id": model, "object": "model", "created": 1, "owned_by": "bench-simulator"}
    if path == _PATH:
        check_method(method, path, "GET")
        return json_script(200, msgspec.json.encode({"object": "list", "data": [entry]}), headers)
    if path == f"{_PATH}/{model}":
        check_method(method, path, "GET")
        return json_script(200, msgspec.json.encode(entry), headers)
    if path.startswith(f"{_PATH}/"):
        raise RefusedRequest(no_such_model(path.removeprefix(f"{_PATH}/")))
    raise RefusedRequest(no_such_path(path))
