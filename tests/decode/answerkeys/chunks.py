"""Deviations 9 to 15: what stands in a chunk, usage, the finish reason."""
# ruff: noqa: E501  # a stream is written as it comes

from harness.analysis.results.trial import Rung
from harness.model.record import FailureKind, FindingKind, Usage
from tests.decode.answerkeys.key import JSON, ONE_CALL, Found, Key, counted, weather

F = FindingKind

KEYS = (
    Key(
        name="Ollama: the role in every chunk",
        numbers=(9, 25),
        body=rb"""data: {"id":"chatcmpl-6","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"Ro"},"finish_reason":null}]}

data: {"id":"chatcmpl-6","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"me"},"finish_reason":null}]}

data: {"id":"chatcmpl-6","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}

data: {"id":"chatcmpl-6","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[],"usage":{"prompt_tokens":26,"completion_tokens":2,"total_tokens":28}}

data: [DONE]

""",
        text="Rome",
        usage=counted(26, 2),
    ),
    Key(
        name="SGLang: role and content null until reasoning ends",
        numbers=(9, 22),
        body=rb"""data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":null,"tool_calls":null},"finish_reason":null,"matched_stop":null}]}

data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":null,"content":null,"reasoning_content":"Capital","tool_calls":null},"finish_reason":null,"matched_stop":null}]}

data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":null,"content":"Rome","reasoning_content":null,"tool_calls":null},"finish_reason":null,"matched_stop":null}]}

data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":null,"content":null,"reasoning_content":null,"tool_calls":null},"finish_reason":"stop","matched_stop":151645}]}

data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":9,"total_tokens":13,"completion_tokens":4,"prompt_tokens_details":null,"reasoning_tokens":2}}

data: [DONE]

""",
        text="Rome",
        reasoning="Capital",
        usage=counted(9, 4, reasoning_tokens=2),
        found=(Found(kind=F.REASONING_FIELD, detail="reasoning_content"),),
    ),
    Key(
        name="Azure: filter results first, a choice without delta last",
        numbers=(10,),
        body=rb"""data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}

data: {"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"chatcmpl-7","model":"m","object":"chat.completion.chunk","system_fingerprint":"fp_ee1","usage":null}

data: {"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"Rome"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"chatcmpl-7","model":"m","object":"chat.completion.chunk","usage":null}

data: {"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0,"logprobs":null}],"created":1,"id":"chatcmpl-7","model":"m","object":"chat.completion.chunk","usage":null}

data: {"choices":[{"content_filter_offsets":{"check_offset":5,"start_offset":5,"end_offset":9},"content_filter_results":{},"finish_reason":null,"index":0}],"created":0,"id":"","model":"","object":""}

data: {"choices":[],"created":1,"id":"chatcmpl-7","model":"m","object":"chat.completion.chunk","usage":{"completion_tokens":1,"prompt_tokens":8,"total_tokens":9}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(
            Found(kind=F.EMPTY_CHOICES, detail="keys: choices, created, id, model, object, prompt_filter_results"),
            Found(
                kind=F.CHOICE_WITHOUT_DELTA,
                detail="keys: content_filter_offsets, content_filter_results, finish_reason, index",
            ),
        ),
    ),
    Key(
        name="delta null, then the whole message in its place",
        numbers=(10,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":null,"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.CHOICE_WITHOUT_DELTA, detail="keys: index, delta, finish_reason"),),
    ),
    Key(
        name="fragments, then the whole message once more",
        numbers=(10,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"me"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Rome"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 2),
        found=(Found(kind=F.USAGE_ON_CHOICE_CHUNK),),
    ),
    Key(
        name="Fireworks: usage on the finish chunk",
        numbers=(11,),
        body=rb"""data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}],"usage":null}

data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":null}],"usage":null}

data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"total_tokens":9,"completion_tokens":1}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.USAGE_ON_CHOICE_CHUNK),),
    ),
    Key(
        name="LiteLLM: usage beside an empty choice, behind the finish",
        numbers=(11,),
        body=rb"""data: {"id":"b","model":"m","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Rome","role":"assistant"}}]}

data: {"id":"b","model":"m","object":"chat.completion.chunk","choices":[{"finish_reason":"stop","index":0,"delta":{}}]}

data: {"id":"b","model":"m","object":"chat.completion.chunk","choices":[{"index":0,"delta":{}}],"usage":{"completion_tokens":1,"prompt_tokens":8,"total_tokens":9}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.USAGE_ON_CHOICE_CHUNK),),
    ),
    Key(
        name="zero usage in every chunk before the real one",
        numbers=(11,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":null}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"me"},"finish_reason":null}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 2),
        found=(Found(kind=F.USAGE_IN_EVERY_CHUNK, count=3, detail="3 choice chunks"),),
    ),
    Key(
        name="zero usage once more, behind the real one",
        numbers=(11,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.USAGE_ON_CHOICE_CHUNK), Found(kind=F.USAGE_ZEROED, detail="zeros behind real counts")),
    ),
    Key(
        name="vLLM with continuous usage: a running count, never a sum",
        numbers=(11,),
        body=rb"""data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":8,"total_tokens":8,"completion_tokens":0}}

data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":null}],"usage":{"prompt_tokens":8,"total_tokens":9,"completion_tokens":1}}

data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":" is warm"},"finish_reason":null}],"usage":{"prompt_tokens":8,"total_tokens":11,"completion_tokens":3}}

data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"."},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"total_tokens":12,"completion_tokens":4}}

data: {"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":8,"total_tokens":12,"completion_tokens":4}}

data: [DONE]

""",
        text="Rome is warm.",
        usage=counted(8, 4, first_chunk_tokens=1),
        found=(Found(kind=F.USAGE_IN_EVERY_CHUNK, count=4, detail="4 choice chunks"),),
    ),
    Key(
        name="Gemini: cumulative usage in every chunk, [DONE] in place",
        numbers=(11,),
        body=rb"""data: {"choices":[{"delta":{"content":"Rome","role":"assistant"},"index":0}],"created":1,"id":"d","model":"m","object":"chat.completion.chunk","usage":{"completion_tokens":1,"prompt_tokens":8,"total_tokens":9}}

data: {"choices":[{"delta":{"content":" is warm.","role":"assistant"},"finish_reason":"stop","index":0}],"created":1,"id":"d","model":"m","object":"chat.completion.chunk","usage":{"completion_tokens":4,"prompt_tokens":8,"total_tokens":12}}

data: [DONE]

""",
        text="Rome is warm.",
        usage=counted(8, 4, first_chunk_tokens=1),
        found=(Found(kind=F.USAGE_IN_EVERY_CHUNK, count=2, detail="2 choice chunks"),),
    ),
    Key(
        name="usage asked for and not given",
        numbers=(11,),
        body=rb"""data: {"id":"e","model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":null}]}

data: {"id":"e","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: [DONE]

""",
        text="Rome",
        found=(Found(kind=F.USAGE_MISSING),),
    ),
    Key(
        name="Groq: usage under x_groq",
        numbers=(11,),
        body=rb"""data: {"id":"f","model":"m","system_fingerprint":"fp_g","choices":[{"index":0,"delta":{"role":"assistant","content":"Rome"},"logprobs":null,"finish_reason":null}],"x_groq":{"id":"req_1"}}

data: {"id":"f","model":"m","system_fingerprint":"fp_g","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.02,"prompt_tokens":8,"prompt_time":0.001,"completion_tokens":2,"completion_time":0.003,"total_tokens":10,"total_time":0.004}}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 2),
        found=(Found(kind=F.USAGE_ELSEWHERE, detail="x_groq.usage"), Found(kind=F.USAGE_ON_CHOICE_CHUNK)),
    ),
    Key(
        name="usage inside the choice",
        numbers=(11,),
        body=rb"""data: {"id":"g","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Rome"},"finish_reason":null}]}

data: {"id":"g","model":"m","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop","usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}]}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.USAGE_ELSEWHERE, detail="choices[0].usage"), Found(kind=F.USAGE_ON_CHOICE_CHUNK)),
    ),
    Key(
        name="a total that is no sum",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":42}}

data: [DONE]

""",
        text="Rome",
        usage=Usage(prompt_tokens=8, completion_tokens=1, total_tokens=42),
        found=(Found(kind=F.USAGE_INCONSISTENT, detail="total 42 is not 8 + 1"),),
    ),
    Key(
        name="more cached than the prompt has",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":900}}}

data: [DONE]

""",
        text="Rome",
        usage=counted(10, 1, cached_tokens=900),
        found=(Found(kind=F.USAGE_INCONSISTENT, detail="900 cached tokens in a prompt of 10"),),
    ),
    Key(
        name="reasoning counted beside the completion, not in it",
        numbers=(22,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"reasoning_content":"Capital"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"completion_tokens_details":{"reasoning_tokens":2}}}

data: [DONE]

""",
        text="Rome",
        reasoning="Capital",
        usage=counted(9, 1, reasoning_tokens=2),
        found=(
            Found(kind=F.REASONING_FIELD, detail="reasoning_content"),
            Found(kind=F.USAGE_INCONSISTENT, detail="2 reasoning tokens in a completion of 1"),
        ),
    ),
    Key(
        name="Mistral refuses stream_options",
        numbers=(12,),
        status=422,
        content_type=JSON,
        body=rb"""{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{"include_usage":true}}]},"type":"invalid_request_error","param":null,"code":null}""",
        finish_reason=None,
        failure=FailureKind.BAD_REQUEST,
        said="{'object': 'error', 'message': {'detail': [{'type': 'extra_forbidden', 'loc': ['body', 'stream_options'], 'msg': 'Extra inputs are not permitted', 'input': {'include_usage': True}}]}, 'type': 'invalid_request_error', 'param': None, 'code': None}",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="an old Azure version refuses stream_options",
        numbers=(12,),
        status=400,
        content_type=JSON,
        body=rb"""{"error":{"message":"1 validation error for Request\nbody -> stream_options\n  extra fields not permitted (type=value_error.extra)","type":"invalid_request_error","param":null,"code":null}}""",
        finish_reason=None,
        failure=FailureKind.BAD_REQUEST,
        said="1 validation error for Request body -> stream_options extra fields not permitted (type=value_error.extra)",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name='finish_reason "" until the end',
        numbers=(13,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":""}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"me"},"finish_reason":""}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 2),
        found=(Found(kind=F.FINISH_REASON_EMPTY, count=2, detail="''"),),
    ),
    Key(
        name='"stop" on every chunk',
        numbers=(13,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":"stop"}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"me"},"finish_reason":"stop"}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 2),
        found=(Found(kind=F.FINISH_REASON_REPEATED, count=2, detail="stop, then stop"),),
    ),
    Key(
        name="Together finishes with eos",
        numbers=(13,),
        body=rb"""data: {"id":"h","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"text":"Rome","logprobs":null,"finish_reason":null,"delta":{"token_id":1,"role":"assistant","content":"Rome"}}],"model":"m","usage":null}

data: {"id":"h","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"text":"","logprobs":null,"finish_reason":"eos","delta":{"token_id":2,"role":"assistant","content":""}}],"model":"m","usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

data: [DONE]

""",
        text="Rome",
        finish_reason="eos",
        usage=counted(8, 2),
        found=(Found(kind=F.USAGE_ON_CHOICE_CHUNK), Found(kind=F.FINISH_REASON_UNKNOWN, detail="eos")),
    ),
    Key(
        name="TGI finishes with eos_token, without [DONE]",
        numbers=(4, 13),
        body=rb"""data:{"object":"chat.completion.chunk","id":"","created":1,"model":"m","system_fingerprint":"2.0.4","choices":[{"index":0,"delta":{"role":"assistant","content":"Rome"},"logprobs":null,"finish_reason":null}]}

data:{"object":"chat.completion.chunk","id":"","created":1,"model":"m","system_fingerprint":"2.0.4","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":"eos_token"}]}

""",
        text="Rome",
        finish_reason="eos_token",
        found=(
            Found(kind=F.NO_DONE),
            Found(kind=F.USAGE_MISSING),
            Found(kind=F.FINISH_REASON_UNKNOWN, detail="eos_token"),
        ),
    ),
    Key(
        name="DeepSeek runs out of resources",
        numbers=(13,),
        body=rb"""data: {"id":"i","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Ro"},"logprobs":null,"finish_reason":null}]}

data: {"id":"i","model":"m","choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"insufficient_system_resource"}]}

data: [DONE]

""",
        text="Ro",
        finish_reason="insufficient_system_resource",
        failure=FailureKind.ERROR_IN_STREAM,
        said="finish_reason insufficient_system_resource",
        found=(Found(kind=F.FINISH_REASON_UNKNOWN, detail="insufficient_system_resource"),),
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="Mistral reaches the model's length",
        numbers=(13,),
        body=rb"""data: {"id":"j","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Rome is"},"finish_reason":null}]}

data: {"id":"j","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":""},"finish_reason":"model_length"}],"usage":{"prompt_tokens":8,"total_tokens":10,"completion_tokens":2}}

data: [DONE]

""",
        text="Rome is",
        finish_reason="model_length",
        usage=counted(8, 2),
        found=(Found(kind=F.USAGE_ON_CHOICE_CHUNK), Found(kind=F.FINISH_REASON_UNKNOWN, detail="model_length")),
    ),
    Key(
        name="filtered before the first word",
        numbers=(13,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":0,"total_tokens":8}}

data: [DONE]

""",
        finish_reason="content_filter",
        usage=counted(8, 0),
        failure=FailureKind.REFUSED_BY_BUDGET,
        said="content_filter",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name='a named tool_choice ends with "stop"',
        numbers=(14,),
        body=rb"""data: {"id":"k","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}

data: {"id":"k","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":null}]}

data: {"id":"k","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"k","model":"m","choices":[],"usage":{"prompt_tokens":60,"completion_tokens":5,"total_tokens":65}}

data: [DONE]

""",
        calls=(weather("Rome", "call_1", 0),),
        usage=counted(60, 5),
        found=(Found(kind=F.FINISH_REASON_CONTRADICTS, detail="stop beside tool calls"),),
        prompt=ONE_CALL,
    ),
    Key(
        name='"tool_calls" with an empty list',
        numbers=(14,),
        body=rb"""data: {"id":"l","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"It is warm."},"finish_reason":null}]}

data: {"id":"l","model":"m","choices":[{"index":0,"delta":{"tool_calls":[]},"finish_reason":"tool_calls"}]}

data: {"id":"l","model":"m","choices":[],"usage":{"prompt_tokens":60,"completion_tokens":4,"total_tokens":64}}

data: [DONE]

""",
        text="It is warm.",
        finish_reason="tool_calls",
        usage=counted(60, 4),
        found=(Found(kind=F.FINISH_REASON_CONTRADICTS, detail="tool_calls without a tool call"),),
        prompt=ONE_CALL,
        rung=Rung.DECISION,
    ),
    Key(
        name="many tokens in one chunk",
        numbers=(15,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome is the capital of Italy, "},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"and it is warm there."},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":13,"total_tokens":21}}

data: [DONE]

""",
        text="Rome is the capital of Italy, and it is warm there.",
        usage=counted(8, 13),
    ),
    Key(
        name="a parser that holds tokens back while usage goes on",
        numbers=(15,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Let me look."},"finish_reason":null}],"usage":{"prompt_tokens":60,"completion_tokens":4,"total_tokens":64}}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":null}],"usage":{"prompt_tokens":60,"completion_tokens":17,"total_tokens":77}}

data: {"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_2","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Rome\"}"}}]},"finish_reason":null}],"usage":{"prompt_tokens":60,"completion_tokens":21,"total_tokens":81}}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":60,"completion_tokens":21,"total_tokens":81}}

data: [DONE]

""",
        text="Let me look.",
        calls=(weather("Rome", "call_2", 0, '{"city": "Rome"}'),),
        finish_reason="tool_calls",
        usage=counted(60, 21, first_chunk_tokens=4),
        found=(
            Found(kind=F.USAGE_IN_EVERY_CHUNK, count=4, detail="4 choice chunks"),
            Found(kind=F.USAGE_GROWS_SILENTLY, detail="13 tokens before the next output"),
        ),
        prompt=ONE_CALL,
    ),
    Key(
        name="two choices, of which the first is judged",
        body=rb"""data: {"model":"m","choices":[{"index":1,"delta":{"content":"Milan"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":1,"delta":{},"finish_reason":"length"}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 2),
        found=(Found(kind=F.SEVERAL_CHOICES, count=2, detail="index 1"),),
    ),
    Key(
        name="another model than the one asked for",
        body=rb"""data: {"model":"m-2026-turbo","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"model":"m-2026-turbo","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.MODEL_DIFFERS, detail="asked m, reported m-2026-turbo"),),
    ),
    Key(
        name="a refusal in its own channel",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":"I'm sorry, "},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"refusal":"I can't."},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":7,"total_tokens":15}}

data: [DONE]

""",
        refusal="I'm sorry, I can't.",
        usage=counted(8, 7),
    ),
)
