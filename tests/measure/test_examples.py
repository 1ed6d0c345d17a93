"""Any two example files can be compared on the shipped golden set."""

from itertools import permutations

import pytest

from harness.measure.body import compare_bodies, request_body
from harness.model.endpoint import Endpoint
from harness.model.endpointfile import load_endpoint
from harness.model.goldenfile import load_golden_set
from harness.model.shipped import shipped_golden_set
from tests.model.test_examples import ENDPOINTS

PAIRS = list(permutations([load_endpoint(file) for file in ENDPOINTS], 2))


@pytest.mark.parametrize(("reference", "candidate"), PAIRS, ids=lambda endpoint: endpoint.name)
def test_the_bodies_of_two_examples_differ_only_as_declared(reference: Endpoint, candidate: Endpoint) -> None:
    for prompt in load_golden_set(shipped_golden_set()).prompts:
        bodies = request_body(prompt, reference), request_body(prompt, candidate)
        found = compare_bodies(*bodies, reference, candidate)
        assert found.undeclared == ()
        assert "model" in found.declared
