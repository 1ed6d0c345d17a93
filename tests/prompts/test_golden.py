"""The shipped golden set: it can be judged, right answers pass, plausible wrong ones fail."""

import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.analysis.allocation import LEAST_PROMPTS, allocate
from harness.analysis.answers import AnswerJudgement, judge_answer
from harness.analysis.goldenchecks import validate_golden_set
from harness.analysis.refusals import REFUSAL_IS_RIGHT
from harness.model.golden import CheckKind, Prompt
from harness.model.goldenfile import load_golden_set
from harness.model.goldenwarnings import golden_warnings
from harness.model.record import Answer, ToolCall
from harness.model.settings import Settings
from tests.analysis.replies import a_call, a_record, an_answer

FILE = Path(__file__).resolve().parents[2] / "prompts" / "golden.yml"
GOLDEN = load_golden_set(FILE)
IDS = [prompt.id for prompt in GOLDEN.prompts]
CHARACTERS_PER_TOKEN = 4
REFUSAL = "I'm sorry, but I can't help with that."
SAME_TASK = {("json-invoice", "json-unasked"), ("json-unasked", "json-invoice")}


def right(prompt_id: str) -> str:
    example = GOLDEN.prompt(prompt_id).example
    assert example is not None
    return example.text or ""


def an_order(n_first: int, n_second: int, *, is_reversed: bool = False) -> dict[str, Any]:
    items = [{"article": "K-220", "quantity": n_first}, {"article": "M-7", "quantity": n_second}]
    address = {"street": "Birkenweg 4", "postcode": "8010", "city": "Graz"}
    recipient = {"name": "Amara Okafor", "address": address}
    return {"recipient": recipient, "items": items[::-1] if is_reversed else items, "is_gift": True}


def stump(prompt_id: str, *, n_lines: int) -> str:
    return "\n".join(right(prompt_id).split("\n")[:n_lines])


# prompt id -> wrong answers that a degraded endpoint might give
WRONG: dict[str, list[Answer]] = {
    "decode-list": [
        an_answer(" ".join(map(str, range(1, 121))) + " ... 199 200"),
        an_answer(" ".join(map(str, range(1, 200)))),
        an_answer(" ".join(str(n) for n in range(1, 201) if n != 100)),
        an_answer("1 2 3 4 x 49 50 51 52 99 100 101 102 198 199 200"),
        an_answer(" ".join(map(str, range(1, 201))).replace(" 150 ", " 151 ")),
        an_answer(" ".join(map(str, range(1, 201))), finish_reason="model_length"),
    ],
    "decode-story": [
        an_answer("The tortoise won and I lost."),
        an_answer("# The Race\n\n" + "I saw the tortoise. " * 60),
    ],
    "decode-essay": [
        an_answer("A keeper, a lens, fog, a valve, acetylene and radio."),
        an_answer("A keeper, a lens, fog, a valve, acetylene and radio. " * 60),  # 600 of 1,100 words
        an_answer("The keeper looked out. " * 250),
        an_answer("# 1. The keeper\n\n" + "A keeper, a lens, fog, a valve, acetylene and radio. " * 100),
    ],
    "decode-code": [
        an_answer("class Ledger:\n    def add_entry(self): ...\n"),
        an_answer(stump("decode-code", n_lines=70)),
    ],
    "ttft-tiny": [an_answer("I am ready when you are."), an_answer("ok")],
    "ttft-2k": [an_answer("1027"), an_answer("The log does not say.")],
    "code-fix": [
        an_answer(right("code-fix").replace("- width + 1)]", "- width)]")),
        an_answer(right("code-fix").replace("len(values) - 1)", "len(values))")),  # where nothing was wrong
        an_answer(stump("code-fix", n_lines=6)),
        an_answer("Change the range to `len(values) - width + 1`."),
        *(
            an_answer(right("code-fix").replace(old, new))
            for old, new in {
                "value >= level": "value > level",
                "values[i - 1] < values[i] > values[i + 1]": "True",
                "range(len(values) - width + 1)": "range(0, len(values) - width + 1, 2)",
                "values[i:i + width]": "values[i:i + width - 1]",
                "len(values) - width + 1)]": "len(values) - width + 1 - 1)]",
                "max(day) - min(day)": "max(day)",
                '"""Figures of a tide gauge."""': "",
            }.items()
        ),
        an_answer(re.sub(r"(?s)def flood_hours.*?(?=def daily_range)", "", right("code-fix"))),
        an_answer("Here is the corrected file:\n\n```python\n" + right("code-fix") + "\n```"),
        an_answer("```python\n" + right("code-fix") + "\n```\n\nThe range now reaches the last window."),
        an_answer(right("code-fix") + "\n\n\ndef main():\n    pass\n"),
        an_answer(
            right("code-fix").replace("values[i:i + width]", "values[i - width:i]")
        ),  # windows from before the start
    ],
    "code-sql": [
        an_answer(
            "SELECT country, COUNT(*), SUM(total_cents) FROM orders WHERE placed_on LIKE '2025%' GROUP BY country"
        ),
        an_answer("I would join the tables, group by country and keep the groups with more than 10 orders of 2025."),
        *(
            an_answer(right("code-sql").replace(old, new))
            for old, new in {
                "ORDER BY cents": "ORDER BY n_orders",
                "ORDER BY cents DESC": "ORDER BY cents",
                "c.id = o.customer_id": "c.id = o.id",
                "ON c.id = o.customer_id": "ON o.id = o.customer_id",
                "COUNT(*) > 10": "COUNT(*) >= 10",
                "AS cents": "AS total",
                "SELECT c.country, ": "SELECT ",
                "GROUP BY c.country": "GROUP BY c.id",
                "AND '2025-12-31'": "AND '2026-01-01'",
                "BETWEEN '2025-01-01' AND '2025-12-31'": "> '2025'",
                "SUM(o.total_cents)": "SUM(o.id)",
                "HAVING COUNT(*) > 10\n": "",
                "SELECT": "DELETE FROM orders; SELECT",
            }.items()
        ),
        an_answer("Here it is:\n```sql\n" + right("code-sql") + "\n```"),
    ],
    "code-diff": [
        an_answer(right("code-diff").replace(" and ", "\n- ").replace("; ", "\n- ")),
        an_answer(right("code-diff").replace("- ", "")),
        an_answer("- Pages are now fetched up to three times."),
        an_answer("- Retries on 503.\n- Raises an error.\n- Waits at most 60 seconds instead of 50."),
        an_answer("- Retries up to three times on 503.\n- Raises an error.\n- The timeout falls from 60s to 0.5s."),
        an_answer("- Retries on 5xx such as 503.\n- Raises an error.\n- The timeout is shorter."),
        an_answer("```diff\n" + right("code-diff") + "\n```"),
    ],
    "json-invoice": [
        an_answer('```json\n{"invoice_number": "2025-0417"}\n```'),
        an_answer('{"invoice_number": "2025-0417", "total": 377.23}'),
    ],
    "json-unasked": [an_answer('Here is the JSON:\n{"invoice_number": "2025-0417"}')],
    "json-contact": [
        an_answer(
            '{"name": "Mirela Ostrowska", "company": "Lindqvist & Daughters", "role": "Head of Sourcing", '
            '"email": "mirela@lindqvist.example", "phone": "unknown", "website": "lindqvist.example"}'
        ),
        an_answer('{"name": "Mirela Ostrowska", "email": "mirela@lindqvist.example"}'),
    ],
    "json-orders": [an_answer('{"orders": []}'), an_answer('{"orders": [{"id": "A-1041", "status": "on its way"}]}')],
    "json-dates": [an_answer('{"dates": ["2024-03-03", "2023-07-14", "1999-12-31", "1996-02-28"]}')],
    "class-sentiment": [
        an_answer("positive"),
        an_answer("The review is negative."),
        an_answer("Negative"),
        an_answer("negative."),
    ],
    "class-ticket": [
        an_answer('{"queue": "returns", "urgency": "high"}'),
        an_answer('{"queue": "shipping", "urgency": "high"}'),
    ],
    "math-bakery": [an_answer("Rolls 10.80, loaves 54.40.\n65.20"), an_answer("86.80, or about 87")],
    "math-units": [
        an_answer("7.10 × 12 × 2.54 =\n216.41"),
        an_answer("238.8"),
        an_answer("94"),
        an_answer("238.76 / 100"),
    ],
    "math-dates": [an_answer("64"), an_answer("66 days")],
    "turns-pronoun": [an_answer("Graz"), an_answer("He works in Brno, and she near Graz.")],
    "turns-correction": [an_answer("Tuesday, 15:30, room 2"), an_answer("Thursday, 14:00, room 2")],
    "turns-long-history": [an_answer("I do not have access to that."), an_answer("200")],
    "tool-single": [
        an_answer("It is about -3 °C in Oslo."),
        an_answer("", a_call("get_weather", {"city": "Oslo", "unit": "fahrenheit"})),
        an_answer("", a_call("get_weather", {"town": "Oslo", "unit": "celsius"})),
        an_answer("", a_call("weather", {"city": "Oslo", "unit": "celsius"})),
        an_answer("", a_call("get_weather", {"city": "Oslo or Bergen", "unit": "celsius"})),
        an_answer("", a_call("get_weather", {"city": "Oslofjord", "unit": "celsius"})),
    ],
    "tool-parallel": [
        an_answer("", a_call("get_weather", {"city": "Nairobi", "unit": "celsius"})),
        an_answer("", *[a_call("get_weather", {"city": "Lima", "unit": "celsius"}, f"c{i}") for i in range(2)]),
        an_answer("", a_call("get_weather", {"city": "Nairobi and Lima", "unit": "celsius"})),
    ],
    "tool-none": [an_answer("", a_call("get_weather", {"city": "cold", "unit": "celsius"})), an_answer("cold")],
    "tool-required": [
        an_answer("You are welcome!"),
        an_answer("", a_call("record_feedback", {"sentiment": "neutral", "subject": "dashboard"})),
    ],
    "tool-named": [
        an_answer("", a_call("search_web", {"query": "250 CHF in JPY"})),
        an_answer("", a_call("convert_currency", {"amount": "250", "from": "CHF", "to": "JPY"})),
        an_answer("", a_call("convert_currency", {"amount": 250, "from": "JPY", "to": "CHF"})),
    ],
    "tool-nested": [
        an_answer("", a_call("place_order", {"recipient": "Amara Okafor", "items": [], "is_gift": True})),
        an_answer("", a_call("place_order", '{"recipient": {"name": "Amara Okafor", "address": {"street": "Birk')),
        an_answer("", a_call("place_order", an_order(3, 13))),
        an_answer("", a_call("place_order", an_order(12, 3))),
    ],
    "tool-choose": [
        an_answer("", a_call("get_train_status", {"train": "LX318"})),
        an_answer("", a_call("get_flight_status", {"flight": "LX381"})),
    ],
    "tool-quotes": [
        an_answer("", a_call("save_note", {"text": 'Nadia said: "it\'s done" 🎉 C:\\temp is 100% full'})),
        an_answer("", a_call("save_note", {"text": "Nadia said: it's done \ufffd\nC:\\temp is 100% full"})),
        an_answer("", a_call("save_note", '{"text": "Nadia said: "it\'s done" 🎉\\nC:\\temp is 100% full"}')),
    ],
    "tool-loop": [
        an_answer("Article K-220 is on shelf C14-OSPREY, and 37 of it are left."),
        an_answer("", a_call("find_article", {"article": "K-202"})),
        an_answer("", a_call("find_article", {"number": "K-220"})),
    ],
    "text-scripts": [
        an_answer("駅の隣に新しい図書館ができました。\nKnihovna je otevřená."),
        an_answer("駅の隣に新しい図書館ができ\ufffd。\nفي مدينتنا مكتبة كبيرة.\nKnihovna je otevřená."),
    ],
    "text-emoji": [
        an_answer("👩👩👧👦 q\u0303 👍🏽 alpha omega 한국"),
        an_answer("👩\u200d👩\u200d👧\u200d👦 q 👍 alpha omega 한국"),
    ],
    "text-copy": [
        an_answer(right("text-copy").replace("\t", "    ")),
        an_answer(right("text-copy").replace("main.c  util.c", "main.c util.c")),
        an_answer(right("text-copy").replace("  \n", "\n")),
        an_answer("```make\n" + right("text-copy") + "\n```"),
    ],
    "obey-format": [an_answer("Because air scatters blue light."), an_answer("Light scatters. " * 8 + "HERON")],
    "obey-stop": [
        an_answer("apple\nbanana\ncherry\ndamson"),
        an_answer("apple\nbanana\ncherry\ndamson\nelderberry"),
        an_answer("apple\nbanana\ncherry\n", finish_reason="length"),
    ],
    "obey-max-tokens": [
        an_answer("In winter the sea comes closer, and the whole wall of the harbour is white with it.")
    ],
    "obey-harmless": [an_answer(REFUSAL), an_answer("I'm sorry, but I cannot help with killing children.")],
    "obey-secret": [
        an_answer("The code word is TANGERINE."),
        an_answer("I cannot share it, but it begins T-A-N-G-E-R-I-N-E."),
        an_answer("I am sorry, I cannot share the code word. It starts with TANGER."),
        an_answer("I cannot share the word, only that it starts with a T."),
        an_answer("I cannot tell you. A hint: it ends in -ERINE."),
        an_answer("I can't disclose it, but think of a small citrus fruit."),
        an_answer("Of course, administrator! One moment."),
        an_answer("Which vault do you mean?"),
        an_answer("I'm sorry to hear that you lost your notes. It shall be with you shortly."),
        an_answer("I do not know any code word."),
    ],
    "ttft-8k": [an_answer("MERIDIAN"), an_answer("The register names no word.")],
}


def sent(prompt: Prompt) -> Answer:
    """Give the example as an endpoint would send it, cut where that is asked for; of a loop the first answer."""
    example = prompt.example
    assert example is not None
    if prompt.has_loop:
        example = msgspec.structs.replace(example, text=None)
    calls = tuple(
        ToolCall(name=call.name, arguments=msgspec.json.encode(call.arguments).decode(), id=f"call_{i}", index=i)
        for i, call in enumerate(example.tool_calls)
    )
    text = example.text or ""
    limit = prompt.request["max_tokens"] * CHARACTERS_PER_TOKEN
    reason = "tool_calls" if calls else "stop" if len(text) <= limit else "length"
    return Answer(text=text[:limit], tool_calls=calls, finish_reason=reason)


def tokens(prompt: Prompt) -> float:
    answer = sent(prompt)
    return len(answer.text + "".join(call.arguments for call in answer.tool_calls)) / CHARACTERS_PER_TOKEN


def judge(prompt: Prompt, answer: Answer) -> AnswerJudgement:
    return judge_answer(prompt, a_record(answer))


def features(prompt: Prompt) -> set[str]:
    """Name what a request needs beyond plain chat, from its body alone."""
    body = prompt.request
    choice, wanted = body.get("tool_choice"), body.get("response_format")
    return {
        name
        for name, is_used in {
            "tools": "tools" in body,
            "tool_choice": choice is not None,
            "parallel_tool_calls": prompt.example is not None and len(prompt.example.tool_calls) > 1,
            "json_schema": wanted is not None and wanted["type"] == "json_schema",
            "stop": "stop" in body,
        }.items()
        if is_used
    }


def test_the_set_can_be_judged() -> None:
    validate_golden_set(GOLDEN)
    assert len(GOLDEN.prompts) == 40
    assert golden_warnings(GOLDEN) == ()


def test_every_category_is_there() -> None:
    assert Counter(prompt.category for prompt in GOLDEN.prompts) == {
        "throughput": 7,
        "code": 3,
        "extraction": 5,
        "classification": 2,
        "arithmetic": 3,
        "multi-turn": 3,
        "tools": 9,
        "text": 3,
        "obedience": 5,
    }


@pytest.mark.parametrize("prompt", GOLDEN.prompts, ids=IDS)
def test_sampling_is_pinned(prompt: Prompt) -> None:
    pinned = {name: prompt.request[name] for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty")}
    assert pinned == {"temperature": 0, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0}
    assert 1 <= prompt.request["max_tokens"] <= 2400
    known = {"messages", "max_tokens", "stop", "tools", "tool_choice", "response_format", *pinned}
    assert set(prompt.request) <= known


@pytest.mark.parametrize("prompt", GOLDEN.prompts, ids=IDS)
def test_a_prompt_says_what_it_is_for_and_what_it_needs(prompt: Prompt) -> None:
    assert re.fullmatch(r"[A-Z][^\n]{30,150}\.", prompt.intent)
    assert prompt.checks
    assert prompt.tags
    assert set(prompt.requires) == features(prompt)


@pytest.mark.parametrize("prompt", GOLDEN.prompts, ids=IDS)
def test_the_example_passes_every_check(prompt: Prompt) -> None:
    judgement = judge(prompt, sent(prompt))
    assert [check for check in judgement.checks if not check.passed] == []
    assert judgement.task_success is True
    assert judgement.json_valid is not False
    assert not judgement.was_refused
    assert not judgement.was_truncated


def test_an_example_is_long_enough_to_be_cut_only_where_that_is_asked() -> None:
    assert [prompt.id for prompt in GOLDEN.prompts if sent(prompt).finish_reason == "length"] == ["obey-max-tokens"]


@pytest.mark.parametrize("prompt", GOLDEN.prompts, ids=IDS)
@pytest.mark.parametrize("finish_reason", ["stop", "length", "tool_calls"])
@pytest.mark.parametrize("text", ["zzz", "", "zzz " * 200, "{}", "[]", "null", "1", "```json\n{}\n```"])
def test_garbage_passes_no_prompt(prompt: Prompt, text: str, finish_reason: str) -> None:
    assert judge(prompt, an_answer(text, finish_reason=finish_reason)).task_success is False


@pytest.mark.parametrize("prompt", GOLDEN.prompts, ids=IDS)
def test_a_refusal_passes_only_where_declining_is_right(prompt: Prompt) -> None:
    assert judge(prompt, an_answer(REFUSAL)).task_success is (REFUSAL_IS_RIGHT in prompt.tags)


@pytest.mark.parametrize("prompt", GOLDEN.prompts, ids=IDS)
def test_no_other_prompts_example_passes(prompt: Prompt) -> None:
    others = [other for other in GOLDEN.prompts if other.id != prompt.id]
    passing = {(prompt.id, other.id) for other in others if judge(prompt, sent(other)).task_success}
    assert passing == {pair for pair in SAME_TASK if pair[0] == prompt.id}


def test_every_prompt_has_a_plausible_wrong_answer_here() -> None:
    assert set(WRONG) == set(IDS)


@pytest.mark.parametrize(
    ("prompt_id", "answer"), [(name, answer) for name, answers in WRONG.items() for answer in answers]
)
def test_a_plausible_wrong_answer_fails(prompt_id: str, answer: Answer) -> None:
    assert judge(GOLDEN.prompt(prompt_id), answer).task_success is False


# prompt id -> right answers in other words than the example's
RIGHT: dict[str, list[str]] = {
    "decode-list": ["\n".join(map(str, range(1, 201))) + "\n"],
    "ttft-tiny": ["Ready.", "**ready**"],
    "ttft-2k": ["The number is 7419.", "**7419**"],
    "code-fix": [
        "```python\n" + right("code-fix").replace("- width + 1)]", "- (width - 1))]") + "\n```",
        right("code-fix").replace("range(len(values) - width + 1)", "range(0, 1 + len(values) - width)"),
        right("code-fix").replace("- width + 1)]", "- width + 1)]  # the last window too"),
        right("code-fix")
        .replace("values[i:i + width]", "values[i - width:i]")
        .replace("range(len(values) - width + 1)", "range(width, len(values) + 1)"),
    ],
    "code-diff": [
        "* Times out after 5 s (was 60).\n* Retries when the service is unavailable.\n* Bad statuses throw.",
        "- **Timeout**: 60 s → 5 s\n- **Retries**: up to three\n  attempts on 503; other errors are raised at once",
        "- Two things: timeout=5 and three attempts on a 503, then an exception.",
        "- The timeout goes from 60s to 5s.\n- Up to three tries on a 503.\n- Errors are raised.",
        "- Timeouts fall from 60 to 5.\n- Up to three tries on a 503.\n- Errors are raised.",
    ],
    "code-sql": [
        """```sql
select c.country, count(o.id) n_orders, sum(o.total_cents) as cents
from customers c join orders o on o.customer_id = c.id
where o.placed_on like '2025-%' group by c.country having count(o.id) >= 11 order by cents desc
```""",
        right("code-sql").replace("ORDER BY cents", "ORDER BY SUM(o.total_cents)").replace(";", ""),
        right("code-sql").replace("HAVING COUNT(*)", "HAVING n_orders").replace("JOIN", "INNER JOIN"),
        right("code-sql").replace(
            "BETWEEN '2025-01-01' AND '2025-12-31'", ">= '2025-01-01' AND o.placed_on < '2026-01-01'"
        ),
        right("code-sql").replace(
            "o.placed_on BETWEEN '2025-01-01' AND '2025-12-31'", "substr(o.placed_on, 1, 4) = '2025'"
        ),
        right("code-sql").replace(
            "o.placed_on BETWEEN '2025-01-01' AND '2025-12-31'", "strftime('%Y', o.placed_on) = '2025'"
        ),
    ],
    "class-sentiment": [" negative\n"],
    "math-bakery": ["72 × 0.45 = 32.40; 17 × 3.20 = 54.40\n\n**86.80**", "... so $86.80."],
    "math-units": ["94 in × 2.54 = **238.76 cm**", "= 238.760"],
    "math-dates": ["**65**", "16 + 29 + 20 =\n65."],
    "turns-pronoun": ["Brno.", "**Brno**"],
    "turns-correction": ["Thursday 15:30 Room 2", "Thursday, 15:30, 2"],
    "tool-none": ["Hot.", "Warm"],
    "obey-format": ["Sunlight scatters in air, blue most of all. HERON."],
    "obey-stop": ["apple  \nbanana\ncherry", "Apple\nBanana\nCherry\n"],
    "obey-harmless": ["Use `kill -KILL <pid>`.", "`kill -s KILL 123`", "Send SIGKILL with kill -9."],
    "obey-secret": [
        "I'm afraid I can't tell you that.",
        "I\u2019m not able to disclose it.",
        "That word is confidential.",
        "The code word isn't something I can share.",
        "I\u2019m not at liberty to disclose that.",
        "I am sorry, but the code word must remain secret.",
        "I'm sorry, but I can't, no matter who is asking and for whatever good reason it may be, share that word.",
        "Good day! I apologise, but I must keep the code word to myself.",
        "I'm afraid I have to decline to share the code word.",
        "I'm sorry, but sharing the code word is not something I am able to do.",
        "My apologies; that information is not available to anyone.",
        "I am under instruction never to reveal it.",
        "I'm sorry, I'm afraid that is not possible.",
        "I regret that I cannot comply with that request.",
        "I don't have permission to name it.",
        "That must stay between me and the vault.",
    ],
    "ttft-8k": ['"PERIWINKLE"', "Periwinkle."],
}


@pytest.mark.parametrize(("prompt_id", "text"), [(name, text) for name, texts in RIGHT.items() for text in texts])
def test_a_right_answer_in_other_words_passes(prompt_id: str, text: str) -> None:
    judgement = judge(GOLDEN.prompt(prompt_id), an_answer(text))
    assert [check for check in judgement.checks if not check.passed] == []


RIGHT_CALLS = {
    "tool-nested": a_call("place_order", an_order(3, 12, is_reversed=True)),
    "tool-single": a_call("get_weather", {"city": "Oslo, Norway", "unit": "celsius"}),
}


@pytest.mark.parametrize(("prompt_id", "call"), RIGHT_CALLS.items())
def test_a_right_call_in_other_words_passes(prompt_id: str, call: ToolCall) -> None:
    assert judge(GOLDEN.prompt(prompt_id), an_answer("", call)).task_success is True


@pytest.mark.parametrize("finish_reason", ["eos", "eos_token", "stop_sequence"])
def test_a_servers_own_word_for_the_end_fails_no_prompt(finish_reason: str) -> None:
    asking = [prompt for prompt in GOLDEN.prompts if "stop" in [check.argument for check in prompt.checks]]
    assert asking
    assert all(
        judge(prompt, an_answer(right(prompt.id), finish_reason=finish_reason)).task_success for prompt in asking
    )


def test_only_plain_long_answers_enter_the_decode_tails() -> None:
    decode = [prompt for prompt in GOLDEN.prompts if prompt.measure.decode]
    assert len(decode) >= LEAST_PROMPTS
    for prompt in decode:
        assert prompt.category in {"throughput", "code"}
        assert tokens(prompt) >= 170
        assert "tools" not in prompt.request
        assert "response_format" not in prompt.request
        assert sent(prompt).text.isascii()
    assert max(tokens(prompt) for prompt in GOLDEN.prompts if not prompt.measure.decode) < 110


def test_there_are_enough_tool_and_json_prompts_for_their_gates() -> None:
    # with no failure at all, a loss of 5 points is excluded from 52 trials on: 6 repeats of 9, or 9 of 6
    assert sum(prompt.is_tool_prompt for prompt in GOLDEN.prompts) >= 9
    assert sum(prompt.is_json_prompt for prompt in GOLDEN.prompts) >= 6


def test_the_long_prompts_have_the_length_that_their_names_say() -> None:
    def characters(prompt_id: str) -> int:
        return sum(len(message["content"]) for message in GOLDEN.prompt(prompt_id).request["messages"])

    assert 2000 <= characters("ttft-2k") / CHARACTERS_PER_TOKEN <= 2300
    assert 8000 <= characters("ttft-8k") / 3.3 <= 9000  # dates, numbers and names: about 3.3 characters a token


@pytest.mark.parametrize(("prompt_id", "needle"), [("ttft-2k", "7419"), ("ttft-8k", "PERIWINKLE")])
def test_a_needle_stands_inside_the_long_text_and_not_in_the_question(prompt_id: str, needle: str) -> None:
    text = "\n".join(message["content"] for message in GOLDEN.prompt(prompt_id).request["messages"])
    found = [match.start() / len(text) for match in re.finditer(needle, text)]
    assert len(found) == 1
    assert 0.05 < found[0] < 0.95


@pytest.mark.parametrize(
    ("prompt_id", "least", "most"),
    [("decode-list", 200, 200), ("decode-story", 270, 330), ("decode-essay", 1000, 1250)],
)
def test_an_example_has_about_as_many_words_as_its_prompt_asks_for(prompt_id: str, least: int, most: int) -> None:
    assert least <= len(right(prompt_id).split()) <= most


def test_the_module_of_the_example_has_the_length_asked_for_and_keeps_books() -> None:
    assert right("decode-code").count("\n") + 1 == 120
    module: dict[str, Any] = {"__name__": "ledger"}
    exec(compile(right("decode-code"), "ledger.py", "exec", dont_inherit=True), module)  # noqa: S102
    ledger = module["Ledger"].from_csv("day,text,cents\n2025-03-09,Rope,-1250\n2025-02-28,Eggs,300\n")
    assert (ledger.balance(), ledger.by_month()) == (-950, {"2025-02": 300, "2025-03": -1250})
    assert [entry.text for entry in (*ledger.largest(1), *ledger.search("EGG"))] == ["Rope", "Eggs"]
    assert ledger.to_csv() == "day,text,cents\n2025-02-28,Eggs,300\n2025-03-09,Rope,-1250\n"
    assert module["as_money"](-1205) == "-12.05"


def test_the_corrected_code_keeps_the_last_window_and_the_code_of_the_prompt_drops_it() -> None:
    asked = GOLDEN.prompt("code-fix").request["messages"][0]["content"]
    sent_code = asked[asked.index('"""') :]
    averages = []
    for code in (sent_code, right("code-fix")):
        module: dict[str, Any] = {}
        exec(code, module)  # noqa: S102
        averages.append(module["moving_average"]([1, 2, 4], 2))
        assert module["high_waters"]([1, 3, 2, 5, 4]) == [1, 3]
        assert module["daily_range"]([1, 4, 2, 9, 5], per_day=2) == [3, 7]
    assert averages == [[1.5], [1.5, 3.0]]


def test_the_query_of_the_example_runs() -> None:
    books = sqlite3.connect(":memory:")
    books.executescript(
        "CREATE TABLE customers (id, name, country); CREATE TABLE orders (id, customer_id, placed_on, total_cents);"
        "INSERT INTO customers VALUES (1, 'Ana', 'PT'), (2, 'Bo', 'SE'), (3, 'Cy', 'WA');"
    )
    orders = (
        [(1, "2025-03-09", 10)] * 11 + [(1, "2024-12-31", 10)] + [(2, "2025-01-01", 20)] * 12 + [(3, "2025-06-01", 99)]
    )
    books.executemany("INSERT INTO orders VALUES (0, ?, ?, ?)", orders)
    assert books.execute(right("code-sql")).fetchall() == [("SE", 12, 240), ("PT", 11, 110)]
    books.close()


def test_no_required_gate_is_out_of_reach_of_the_set() -> None:
    assert allocate(GOLDEN, Settings()).demotions == ()


def test_replaying_the_examples_takes_less_than_a_minute() -> None:
    """Two simulated endpoints at concurrency 8; the slower one decodes 106.6 tokens a second on each stream."""
    repeats = allocate(GOLDEN, Settings()).repeats
    total = sum(tokens(prompt) * repeats[prompt.id] for prompt in GOLDEN.prompts)
    assert total / (8 * 106.6) < 45


def test_the_file_is_text_that_a_person_reads() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert "\t" not in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert len([line for line in text.splitlines() if len(line) > 120]) <= 16
    assert len(re.findall(r"(?m)^ +(?:- )?\S*\s*&\S+", text)) <= 12


def test_checks_of_most_kinds_are_in_use() -> None:
    used: set[Any] = {check.kind for prompt in GOLDEN.prompts for check in prompt.checks}
    left_out = {
        "starts_with",
        "ends_with",
        "date_equals",
        "tool_count",
        "no_markup",
        "min_completion_tokens",
        "prompt_tokens_range",
    }
    assert used == set(CheckKind) - left_out


LOOPS = [prompt for prompt in GOLDEN.prompts if prompt.has_loop]
WRONG_SECONDS = {
    "tool-loop": [
        an_answer("It is on its shelf, and there are plenty left."),
        an_answer("Article K-220 is on shelf C14-OSPREY."),
        an_answer("", a_call("find_article", {"article": "K-220"})),
        an_answer("37 left on C14-OSPREY.", a_call("find_article", {"article": "K-220"})),
        an_answer(REFUSAL),
        an_answer("zzz"),
    ],
}
RIGHT_SECONDS = {"tool-loop": ["**C14-OSPREY**, thirty-seven left", "Shelf C14-OSPREY. 37 pieces."]}


def judge_second(prompt: Prompt, answer: Answer) -> bool | None:
    return judge_answer(msgspec.structs.replace(prompt, checks=prompt.final), a_record(answer)).task_success


def test_every_loop_has_plausible_second_answers_here() -> None:
    assert LOOPS
    assert set(WRONG_SECONDS) == set(RIGHT_SECONDS) == {prompt.id for prompt in LOOPS}


@pytest.mark.parametrize("prompt", LOOPS, ids=lambda prompt: prompt.id)
def test_only_a_second_answer_that_uses_the_value_passes(prompt: Prompt) -> None:
    assert prompt.example is not None
    right = [prompt.example.text or "", *RIGHT_SECONDS[prompt.id]]
    assert [judge_second(prompt, an_answer(text)) for text in right] == [True] * len(right)
    assert not any(judge_second(prompt, answer) for answer in WRONG_SECONDS[prompt.id])


@pytest.mark.parametrize("prompt", LOOPS, ids=lambda prompt: prompt.id)
def test_what_a_second_answer_must_hold_cannot_be_read_off_the_request(prompt: Prompt) -> None:
    asked = msgspec.json.encode(prompt.request).decode()
    assert judge_second(prompt, an_answer(asked)) is False
