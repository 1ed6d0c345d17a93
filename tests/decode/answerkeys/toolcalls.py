"""Deviations 16 to 21: how tool calls come, and where they fall on the ladder."""
# ruff: noqa: E501  # a stream is written as it comes

from harness.analysis.results.trial import Rung
from harness.model.record import FailureKind, FindingKind, ToolCall
from tests.decode.answerkeys.key import (
    JSON,
    NO_CALL,
    ONE_CALL,
    TWO_CITIES,
    TWO_TOOLS,
    Found,
    Key,
    counted,
    weather,
)

F = FindingKind
TIME = ToolCall(name="get_time", arguments="{}", id="call_2", index=1)

KEYS = (
    Key(
        name="vLLM: fragments of two calls, interleaved",
        body=rb"""data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"id":"chatcmpl-tool-a","type":"function","index":0,"function":{"name":"get_weather"}}]},"finish_reason":null}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"finish_reason":null}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"id":"chatcmpl-tool-b","type":"function","index":1,"function":{"name":"get_weather","arguments":"{\"ci"}}]},"finish_reason":null}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Oslo\"}"}},{"index":1,"function":{"arguments":"ty\":\"Rome\"}"}}]},"finish_reason":null}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls","stop_reason":null}]}

data: {"id":"1","model":"m","choices":[],"usage":{"prompt_tokens":90,"completion_tokens":20,"total_tokens":110}}

data: [DONE]

""",
        calls=(weather("Oslo", "chatcmpl-tool-a", 0), weather("Rome", "chatcmpl-tool-b", 1)),
        finish_reason="tool_calls",
        usage=counted(90, 20),
        prompt=TWO_CITIES,
    ),
    Key(
        name="Gemini: two whole calls without index in one chunk, signatures beside them",
        numbers=(16, 17, 21),
        body=rb"""data: {"choices":[{"delta":{"role":"assistant","tool_calls":[{"extra_content":{"google":{"thought_signature":"EtQB"}},"function":{"arguments":"{\"city\":\"Rome\"}","name":"get_weather"},"id":"function-call-1","type":"function"},{"function":{"arguments":"{\"city\":\"Oslo\"}","name":"get_weather"},"id":"function-call-2","type":"function"}]},"finish_reason":"tool_calls","index":0}],"id":"2","model":"m","object":"chat.completion.chunk","usage":{"completion_tokens":30,"prompt_tokens":80,"total_tokens":110}}

data: [DONE]

""",
        calls=(weather("Rome", "function-call-1", None), weather("Oslo", "function-call-2", None)),
        finish_reason="tool_calls",
        usage=counted(80, 30),
        found=(Found(kind=F.TOOL_INDEX_MISSING, count=2), Found(kind=F.USAGE_ON_CHOICE_CHUNK)),
        prompt=TWO_CITIES,
    ),
    Key(
        name="parallel calls in chunks of their own, without index, finished by stop",
        numbers=(14, 16),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"id":"b","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":80,"completion_tokens":30,"total_tokens":110}}

data: [DONE]

""",
        calls=(weather("Rome", "a", None), weather("Oslo", "b", None)),
        usage=counted(80, 30),
        found=(
            Found(kind=F.TOOL_INDEX_MISSING, count=2),
            Found(kind=F.USAGE_ON_CHOICE_CHUNK),
            Found(kind=F.FINISH_REASON_CONTRADICTS, detail="stop beside tool calls"),
        ),
        prompt=TWO_CITIES,
    ),
    Key(
        name="fragments without index or id join the last call",
        numbers=(16, 18),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"function":{"arguments":"{\"city\":\"Ro"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"function":{"arguments":"me\"}"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":30,"total_tokens":110}}

data: [DONE]

""",
        calls=(weather("Rome", None, None), weather("Oslo", None, None)),
        finish_reason="tool_calls",
        usage=counted(80, 30),
        found=(Found(kind=F.TOOL_INDEX_MISSING, count=4), Found(kind=F.TOOL_ID_MISSING, count=2)),
        prompt=TWO_CITIES,
    ),
    Key(
        name="one index for two calls",
        numbers=(16,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"b","type":"function","function":{"name":"get_weather","arguments":"{\"city\":"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Oslo\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":30,"total_tokens":110}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0), weather("Oslo", "b", 0)),
        finish_reason="tool_calls",
        usage=counted(80, 30),
        found=(Found(kind=F.TOOL_INDEX_REUSED, detail="index 0"),),
        prompt=TWO_CITIES,
    ),
    Key(
        name="a first index of 1, behind a text",
        numbers=(16,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"I look."},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"toolu_01","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        text="I look.",
        calls=(weather("Rome", "toolu_01", 1),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        prompt=ONE_CALL,
    ),
    Key(
        name="an enormous index",
        numbers=(16,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":9007199254740993,"id":"a","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 9007199254740993),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        prompt=ONE_CALL,
    ),
    Key(
        name="Ollama: the whole call in one delta, tool_calls null elsewhere",
        numbers=(17,),
        body=rb"""data: {"id":"chatcmpl-1","model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_x1","index":0,"type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-1","model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":null},"finish_reason":"tool_calls"}]}

data: {"id":"chatcmpl-1","model":"m","choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "call_x1", 0),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        prompt=ONE_CALL,
    ),
    Key(
        name="TGI: arguments as an object, tool_calls as an object, no id",
        numbers=(17, 18),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":{"index":0,"id":"","type":"function","function":{"name":"get_weather","arguments":{"city":"Rome"}}}},"logprobs":null,"finish_reason":"eos_token"}]}

data: [DONE]

""",
        calls=(weather("Rome", None, 0),),
        finish_reason="eos_token",
        found=(
            Found(kind=F.TOOL_CALLS_NOT_LIST, detail="an object"),
            Found(kind=F.TOOL_ARGUMENTS_NOT_TEXT, detail="dict"),
            Found(kind=F.TOOL_ID_MISSING),
            Found(kind=F.FINISH_REASON_UNKNOWN, detail="eos_token"),
            Found(kind=F.USAGE_MISSING),
        ),
        prompt=ONE_CALL,
    ),
    Key(
        name="the name repeated with every fragment",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"{\"city\":"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"\"Rome\""}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        prompt=ONE_CALL,
    ),
    Key(
        name="the name in the second delta, in two parts",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function"}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"get_"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"weather"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        found=(Found(kind=F.TOOL_NAME_IN_PARTS, detail="get_, then weather"),),
        prompt=ONE_CALL,
    ),
    Key(
        name="a name that grows with every delta",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"get_","arguments":""}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        found=(Found(kind=F.TOOL_NAME_IN_PARTS, detail="get_, then get_weather"),),
        prompt=ONE_CALL,
    ),
    Key(
        name="indexes in digits, the choice's too",
        numbers=(16,),
        body=rb"""data: {"model":"m","choices":[{"index":"0","delta":{"tool_calls":[{"index":"0","id":"a","type":"function","function":{"name":"get_weather","arguments":""}},{"index":"1","id":"b","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":"0","delta":{"tool_calls":[{"index":"1","function":{"arguments":"{\"city\":\"Oslo\"}"}},{"index":"0","function":{"arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":30,"total_tokens":110}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0), weather("Oslo", "b", 1)),
        finish_reason="tool_calls",
        usage=counted(80, 30),
        found=(Found(kind=F.INDEX_NOT_NUMBER, count=6, detail='a choice\'s "0"'),),
        prompt=TWO_CITIES,
    ),
    Key(
        name="one index for two tools, the first without arguments, no id",
        numbers=(16, 18),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"type":"function","function":{"name":"get_time","arguments":""}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":40,"total_tokens":120}}

data: [DONE]

""",
        calls=(
            weather("Rome", None, 0),
            ToolCall(name="get_time", arguments="", id=None, index=0),
            weather("Oslo", None, 0),
        ),
        finish_reason="tool_calls",
        usage=counted(80, 40),
        found=(Found(kind=F.TOOL_INDEX_REUSED, count=2, detail="index 0"), Found(kind=F.TOOL_ID_MISSING, count=3)),
        prompt=ONE_CALL,
        rung=Rung.DECISION,
    ),
    Key(
        name="an empty object keeps the place of the arguments",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"get_weather","arguments":{}}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        found=(Found(kind=F.TOOL_ARGUMENTS_NOT_TEXT, detail="dict"),),
        prompt=ONE_CALL,
    ),
    Key(
        name="a call listed, and the old function_call beside it",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"get_weather","arguments":""}}],"function_call":{"name":"get_weather","arguments":""}},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Rome\"}"}}],"function_call":{"arguments":"{\"city\":\"Rome\"}"}},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        found=(Found(kind=F.LEGACY_CALL_REPEATS, detail="get_weather"),),
        prompt=ONE_CALL,
    ),
    Key(
        name="a role, then the whole message with its call",
        numbers=(10, 17),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        prompt=ONE_CALL,
    ),
    Key(
        name="arguments encoded twice",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"\"{\\\"city\\\":\\\"Rome\\\"}\""}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0, '"{\\"city\\":\\"Rome\\"}"'),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        prompt=ONE_CALL,
        rung=Rung.INVALID_JSON,
    ),
    Key(
        name="arguments that end early",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"{\"city\":\"Ro"}}]},"finish_reason":"length"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":9,"total_tokens":89}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0, '{"city":"Ro'),),
        finish_reason="length",
        usage=counted(80, 9),
        prompt=ONE_CALL,
        rung=Rung.INVALID_JSON,
    ),
    Key(
        name="an argument of another type",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"{\"city\":[\"Rome\"]}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":9,"total_tokens":89}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0, '{"city":["Rome"]}'),),
        finish_reason="tool_calls",
        usage=counted(80, 9),
        prompt=ONE_CALL,
        rung=Rung.SCHEMA_MISMATCH,
    ),
    Key(
        name="another value than the one expected",
        numbers=(17,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\",\"unit\":\"F\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":9,"total_tokens":89}}

data: [DONE]

""",
        calls=(weather("Rome", "a", 0, '{"city":"Rome","unit":"F"}'),),
        finish_reason="tool_calls",
        usage=counted(80, 9),
        prompt=ONE_CALL,
        rung=Rung.ARGUMENT_MISMATCH,
    ),
    Key(
        name="a call where none is due",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_2","function":{"name":"get_time","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":9,"total_tokens":89}}

data: [DONE]

""",
        calls=(ToolCall(name="get_time", arguments="{}", id="call_2", index=0),),
        finish_reason="tool_calls",
        usage=counted(80, 9),
        prompt=NO_CALL,
        rung=Rung.DECISION,
    ),
    Key(
        name="the other tool",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_2","function":{"name":"get_time","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":9,"total_tokens":89}}

data: [DONE]

""",
        calls=(ToolCall(name="get_time", arguments="{}", id="call_2", index=0),),
        finish_reason="tool_calls",
        usage=counted(80, 9),
        prompt=ONE_CALL,
        rung=Rung.DECISION,
    ),
    Key(
        name="two tools at once",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}},{"index":1,"id":"call_2","function":{"name":"get_time","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":19,"total_tokens":99}}

data: [DONE]

""",
        calls=(weather("Rome", "call_1", 0), TIME),
        finish_reason="tool_calls",
        usage=counted(80, 19),
        prompt=TWO_TOOLS,
    ),
    Key(
        name="Kimi: the id alone carries the name",
        numbers=(18,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"functions.get_weather:0","type":"function","function":{"name":null,"arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(ToolCall(name=None, arguments='{"city":"Rome"}', id="functions.get_weather:0", index=0),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        prompt=ONE_CALL,
        rung=Rung.UNKNOWN_NAME,
    ),
    Key(
        name="Mistral: an id of nine characters",
        numbers=(18,),
        body=rb"""data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"D681PevKs","function":{"name":"get_weather","arguments":"{\"city\": \"Rome\"}"},"index":0}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":80,"total_tokens":95,"completion_tokens":15}}

data: [DONE]

""",
        calls=(weather("Rome", "D681PevKs", 0, '{"city": "Rome"}'),),
        finish_reason="tool_calls",
        usage=counted(80, 15),
        found=(Found(kind=F.USAGE_ON_CHOICE_CHUNK),),
        prompt=ONE_CALL,
    ),
    Key(
        name="an empty id, and the id 0",
        numbers=(18,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}},{"index":1,"id":"0","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":30,"total_tokens":110}}

data: [DONE]

""",
        calls=(weather("Rome", None, 0), weather("Oslo", "0", 1)),
        finish_reason="tool_calls",
        usage=counted(80, 30),
        found=(Found(kind=F.TOOL_ID_MISSING),),
        prompt=TWO_CITIES,
    ),
    Key(
        name="one id for two calls",
        numbers=(18,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_0","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}},{"index":1,"id":"call_0","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":30,"total_tokens":110}}

data: [DONE]

""",
        calls=(weather("Rome", "call_0", 0), weather("Oslo", "call_0", 1)),
        finish_reason="tool_calls",
        usage=counted(80, 30),
        prompt=TWO_CITIES,
        rung=Rung.PROTOCOL,
    ),
    Key(
        name="Hermes markup in the text",
        numbers=(19,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"<tool_call>\n{\"name\": \"get_weather\", "},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"\"arguments\": {\"city\": \"Rome\"}}\n</tool_call>"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":22,"total_tokens":102}}

data: [DONE]

""",
        text='<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>',
        usage=counted(80, 22),
        found=(Found(kind=F.LEAKED_MARKUP, count=2, detail="<tool_call> </tool_call>"),),
        prompt=ONE_CALL,
        rung=Rung.LEAKED_MARKUP,
    ),
    Key(
        name="a marker cut over two chunks",
        numbers=(19,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"<func"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"tion=get_weather>"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":5,"total_tokens":85}}

data: [DONE]

""",
        text="<function=get_weather>",
        usage=counted(80, 5),
        found=(Found(kind=F.LEAKED_MARKUP, detail="<function="),),
        prompt=ONE_CALL,
        rung=Rung.LEAKED_MARKUP,
    ),
    Key(
        name="Mistral's, Kimi's, Llama's and DeepSeek's markers, beside a right call",
        numbers=(19,),
        body=b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"[TOOL_CALLS]<|tool_calls_section_begin|><|python_tag|><\xef\xbd\x9ctool\xe2\x96\x81calls\xe2\x96\x81begin\xef\xbd\x9c>"},"finish_reason":null}]}\n\n'
        rb"""data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":5,"total_tokens":85}}

data: [DONE]

""",
        text="[TOOL_CALLS]<|tool_calls_section_begin|><|python_tag|><\uff5ctool\u2581calls\u2581begin\uff5c>",
        calls=(weather("Rome", "a", 0),),
        finish_reason="tool_calls",
        usage=counted(80, 5),
        found=(
            Found(
                kind=F.LEAKED_MARKUP,
                count=4,
                detail="[TOOL_CALLS] <|tool_calls_section_begin|> <|python_tag|> <\uff5ctool\u2581calls\u2581begin\uff5c>",
            ),
        ),
        prompt=ONE_CALL,
        rung=Rung.LEAKED_MARKUP,
    ),
    Key(
        name="a call written as JSON, without a marker",
        numbers=(19,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Rome\"}}"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        text='{"name": "get_weather", "parameters": {"city": "Rome"}}',
        usage=counted(80, 15),
        prompt=ONE_CALL,
        rung=Rung.LEAKED_MARKUP,
    ),
    Key(
        name="an end-of-turn marker in an answer without calls",
        numbers=(19,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome<|im_end|>"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

data: [DONE]

""",
        text="Rome<|im_end|>",
        usage=counted(8, 2),
        found=(Found(kind=F.LEAKED_MARKUP, detail="<|im_end|>"),),
    ),
    Key(
        name="vLLM without a tool parser",
        numbers=(20,),
        status=400,
        content_type=JSON,
        body=rb"""{"object":"error","message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}""",
        finish_reason=None,
        failure=FailureKind.BAD_REQUEST,
        said='"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        prompt=ONE_CALL,
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="DeepSeek wants its reasoning back",
        numbers=(21,),
        status=400,
        content_type=JSON,
        body=rb"""{"error":{"message":"Missing `reasoning_content` field in the assistant message at message index 1.","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}""",
        finish_reason=None,
        failure=FailureKind.BAD_REQUEST,
        said="Missing `reasoning_content` field in the assistant message at message index 1.",
        prompt=ONE_CALL,
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="Gemini wants its signature back, in a list",
        numbers=(21,),
        status=400,
        content_type=JSON,
        body=rb"""[{"error":{"code":400,"message":"Function call is missing a thought_signature in functionCall parts.","status":"INVALID_ARGUMENT"}}]""",
        finish_reason=None,
        failure=FailureKind.BAD_REQUEST,
        said="Function call is missing a thought_signature in functionCall parts.",
        prompt=ONE_CALL,
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="an old function_call",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"function_call":{"name":"get_weather","arguments":""}},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"function_call":{"arguments":"{\"city\":\"Rome\"}"}},"finish_reason":"function_call"}]}

data: {"choices":[],"usage":{"prompt_tokens":80,"completion_tokens":15,"total_tokens":95}}

data: [DONE]

""",
        calls=(weather("Rome", None, None),),
        finish_reason="function_call",
        usage=counted(80, 15),
        prompt=ONE_CALL,
    ),
)
