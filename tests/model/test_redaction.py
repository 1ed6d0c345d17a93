"""What is struck out of a golden set and an endpoint, and what stays."""

import msgspec

from harness.model.golden import Check, CheckKind, GoldenSet, Prompt
from harness.model.record import Arm, ArmHeader
from harness.model.redaction import Digests, Striker, redacted_run_id, tool_names_of
from tests.model.runs import a_header

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"properties": {"city": {"enum": ["Rome"]}}}}}
PROMPT = Prompt(
    id="p",
    category="facts",
    intent="Rome is known.",
    request={"messages": [{"role": "user", "content": "Is it Rome?"}], "tools": [TOOL], "max_tokens": 9},
    checks=[
        Check(kind=CheckKind.CONTAINS, argument="Rome"),
        Check(kind=CheckKind.MAX_WORDS, argument=9),
        Check(kind=CheckKind.TOOL_CALLED, argument={"name": "weather", "arguments": {"city": "Rome"}}),
    ],
    tool_results={"weather": "rain in Rome"},
)
GOLDEN = GoldenSet(name="g", prompts=[PROMPT])


def _striker(*, hides_endpoints: bool = False) -> Striker:
    return Striker(digests=Digests(b"k"), tool_names=tool_names_of(GOLDEN), hides_endpoints=hides_endpoints)


def test_a_set_keeps_names_numbers_and_its_digest() -> None:
    struck = _striker().golden(GOLDEN)
    text = msgspec.json.encode(struck).decode()
    assert "Rome" not in text
    assert "city" not in text
    assert struck.sha256 == GOLDEN.sha256
    prompt = struck.prompts[0]
    assert prompt.request["max_tokens"] == 9
    assert prompt.request["tools"][0]["function"]["name"] == "weather"
    assert prompt.checks[1:] == [PROMPT.checks[1], Check(kind=CheckKind.TOOL_CALLED, argument={"name": "weather"})]
    assert list(prompt.tool_results) == ["weather"]


def test_a_struck_text_is_as_wide_as_it_was() -> None:
    digests = Digests(b"k")
    assert [len(digests.as_wide_as(text)) for text in ("", "Rome", "x" * 300, "a\nb")] == [0, 4, 300, 4]


def test_digests_tell_texts_apart_and_need_their_key() -> None:
    assert Digests(b"k").of("Rome") == Digests(b"k").of("Rome") != Digests(b"k").of("Oslo")
    assert Digests(b"k").of("Rome") != Digests(b"other").of("Rome")


def test_an_endpoint_loses_name_and_address_where_that_is_asked_for() -> None:
    endpoint = {
        "name": "acme",
        "base_url": "https://api.acme.example/v1",
        "model": "acme-1",
        "api_key": {"file": "/home/me/key"},
        "labels": {"region": "moon"},
        "tls": {"verify": False, "ca_file": "/home/me/ca.pem"},
        "extra_body": {"hint": "Is it Rome?", "top_k": 3},
    }
    header = ArmHeader(arm=Arm.REFERENCE, endpoint=endpoint, facts={"proxy": "proxy.acme.example:3128", "processes": 2})
    open_text = msgspec.json.encode(_striker().arm(header)).decode()
    assert "api.acme.example" in open_text
    assert not any(word in open_text for word in ("Rome", "/home/me"))
    hidden = _striker(hides_endpoints=True).arm(header)
    assert not any(word in msgspec.json.encode(hidden).decode() for word in ("acme", "moon", "Rome", "/home/me"))
    assert hidden.endpoint["tls"] == {"verify": False}
    assert hidden.endpoint["base_url"].startswith("https://")  # that it was not verified is still said
    assert hidden.facts == {"processes": 2}


def test_a_copy_has_an_id_of_its_own() -> None:
    header = a_header(run_id="20260101T120000-acme-1-77aa")
    assert redacted_run_id(header, hides_endpoints=False) == "20260101T120000-acme-1-77aa-redacted"
    assert redacted_run_id(header, hides_endpoints=True) == "20260101T120000-reference-77aa-redacted"
