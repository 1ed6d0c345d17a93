import pytest

from harness.decode.watch import last_output_at_ns
from harness.model.record import FailureKind, FindingKind
from tests.decode.cases import CASES, Case
from tests.decode.wires import a_head, a_wire, chunked, decoded, reads_of

TRANSPORT_ONLY = {
    FailureKind.DNS,
    FailureKind.CONNECT,
    FailureKind.TLS,
    FailureKind.TIMEOUT_CONNECT,
    FailureKind.TIMEOUT_FIRST_OUTPUT,
    FailureKind.TIMEOUT_IDLE,
    FailureKind.TIMEOUT_TOTAL,
    FailureKind.CANCELLED,
}
OF_OTHER_REQUESTS = {FindingKind.JSON_ANSWERED_WITH_STREAM}  # no stream was asked for; produced in test_record
OF_BROKEN_WIRES = {  # produced in test_record
    FailureKind.RESET_BEFORE_RESPONSE,
    FailureKind.BODY_TOO_LARGE,
    FailureKind.CUT_OFF,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_response_decodes_to_exactly_its_truth(case: Case) -> None:
    record = decoded([a_wire(case.body, case.status, case.content_type, *case.headers)])
    failure = record.failure
    assert record.answer == case.answer
    assert {finding.kind: finding.count for finding in record.findings} == case.findings
    assert (failure and failure.kind) == case.failure, failure
    assert (failure and failure.shape) == case.shape
    assert (failure and failure.code) == case.code
    assert record.usage == case.usage


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_response_decodes_alike_when_every_byte_is_a_read(case: Case) -> None:
    wire = a_wire(case.body[:4000], case.status, case.content_type, *case.headers)
    whole = decoded([wire])
    cut = decoded([wire[at : at + 1] for at in range(len(wire))])
    assert (cut.answer, cut.findings, cut.failure) == (whole.answer, whole.findings, whole.failure)
    assert (cut.usage, cut.arrivals.content_chars) == (whole.usage, whole.arrivals.content_chars)


def test_there_are_at_least_sixty_cases_with_names_of_their_own() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_kind_of_finding_is_produced_by_a_case() -> None:
    assert {kind for case in CASES for kind in case.findings} == set(FindingKind) - OF_OTHER_REQUESTS


def test_every_kind_of_failure_is_produced_by_a_case_or_named_as_not_the_decoders() -> None:
    produced = {case.failure for case in CASES if case.failure is not None}
    assert produced | TRANSPORT_ONLY | OF_BROKEN_WIRES == set(FailureKind)
    assert not produced & TRANSPORT_ONLY


@pytest.mark.parametrize("case", [case for case in CASES if case.status == 200], ids=lambda case: case.name)
def test_the_watchdog_and_the_record_agree_on_the_last_output(case: Case) -> None:
    pieces = [a_head(case.status, case.content_type, *case.headers), chunked(case.body[:-1]), chunked(case.body[-1:])]
    pieces = [piece for piece in pieces if piece]
    record = decoded(pieces)
    seen = last_output_at_ns(b"".join(pieces), reads_of(pieces))
    if record.was_streamed and FindingKind.SEVERAL_CHOICES not in {f.kind for f in record.findings}:
        assert seen == record.stamps.token_n_at_ns or FindingKind.BYTES_AFTER_DONE in {f.kind for f in record.findings}
