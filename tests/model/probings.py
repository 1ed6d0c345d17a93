"""Probe reports and folders for tests."""

from pathlib import Path
from typing import Any

from harness.model.probe import ErrorFacts, ProbeClass, ProbeExchange, ProbeReport, ProbeResult
from harness.model.probestorage import ProbeWriter
from harness.model.record import Arm, Attempt, RequestKey

NAMED: dict[str, Any] = {"name": "b", "base_url": "http://127.0.0.1:9/v1", "model": "m"}


def a_result(probe: str = "chat", outcome: ProbeClass = ProbeClass.SUPPORTED, **more: Any) -> ProbeResult:
    """Give a result; one that is neither supported nor accepted asks for a change."""
    is_fine = outcome in (ProbeClass.SUPPORTED, ProbeClass.ACCEPTED, ProbeClass.INCONCLUSIVE)
    given: dict[str, Any] = {
        "number": 2,
        "group": "core",
        "question": f"Is {probe} there?",
        "evidence": f"seen of {probe}",
    }
    given |= {"change": None if is_fine else f"Do without {probe}."}
    return ProbeResult(id=probe, outcome=outcome, **(given | more))


def an_error(case: str = "bad_key", status: int | None = 401, **more: Any) -> ErrorFacts:
    """Give an answer of the error contract, in OpenAI's envelope."""
    given: dict[str, Any] = {"shape": "openai", "error_type": "invalid_request_error", "code": "invalid_api_key"}
    return ErrorFacts(case=case, status=status, **(given | more))


def a_report(*results: ProbeResult, name: str = "b", **more: Any) -> ProbeReport:
    """Give one endpoint's probes."""
    given: dict[str, Any] = {
        "probing_id": f"{name}-probe",
        "started_at": "2026-01-01T12:00:00+00:00",
        "endpoint": NAMED | {"name": name},
    }
    return ProbeReport(results=results, **(given | more))


def a_folder(results: Path, report: ProbeReport, *answers: bytes, body: str = "{}") -> Path:
    """Write a probe folder with these raw answers, each of a request of its own."""
    folder = results / report.probing_id
    with ProbeWriter(folder) as writer:
        for line, wire in enumerate(answers):
            writer.append(_exchange(line, body), wire)
        writer.write_report(report)
    return folder


def _exchange(line: int, body: str) -> ProbeExchange:
    attempt = Attempt(
        key=RequestKey(arm=Arm.REFERENCE, prompt_id="chat", repeat=0),
        attempt=1,
        block=line,
        request_sha256="",
        request_bytes=0,
        intended_at_ns=0,
        status=200,
    )
    return ProbeExchange(
        probe="chat", label="chat", method="POST", target="/v1/chat/completions", body=body, attempt=attempt
    )


def an_error_report(status: int, **more: Any) -> ProbeReport:
    """Give probes of a wrong key alone."""
    result = a_result("error_bad_key", number=42, group="errors", errors=(an_error(status=status, **more),))
    return a_report(result)
