"""Deviations 22 to 31: reasoning, and what servers mean by the same fields."""
# ruff: noqa: E501  # a stream is written as it comes

from harness.analysis.results.trial import Rung
from harness.model.record import FailureKind, FindingKind
from tests.decode.answerkeys.key import JSON, Found, Key, counted

F = FindingKind

KEYS = (
    Key(
        name="reasoning_content",
        numbers=(22,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"The capital"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"reasoning_content":" of Italy."},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":6,"total_tokens":14,"completion_tokens_details":{"reasoning_tokens":5}}}

data: [DONE]

""",
        text="Rome",
        reasoning="The capital of Italy.",
        usage=counted(8, 6, reasoning_tokens=5),
        found=(Found(kind=F.REASONING_FIELD, count=2, detail="reasoning_content"),),
    ),
    Key(
        name="reasoning, with details that say the same",
        numbers=(22,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Italy.","reasoning_details":[{"type":"reasoning.text","text":"Italy.","format":null,"index":0}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11}}

data: [DONE]

""",
        text="Rome",
        reasoning="Italy.",
        usage=counted(8, 3),
        found=(Found(kind=F.REASONING_FIELD, detail="reasoning"),),
    ),
    Key(
        name="both names in turns, each counted by its name",
        numbers=(22,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"reasoning":"Ita"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"reasoning_content":"ly"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11}}

data: [DONE]

""",
        text="Rome",
        reasoning="Italy",
        usage=counted(8, 3),
        found=(
            Found(kind=F.REASONING_FIELD, detail="reasoning"),
            Found(kind=F.REASONING_FIELD, detail="reasoning_content"),
        ),
    ),
    Key(
        name="Mistral: thinking as parts of the content",
        numbers=(22,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Italy."}]}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":[{"type":"text","text":"Rome"}]},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11}}

data: [DONE]

""",
        text="Rome",
        reasoning="Italy.",
        usage=counted(8, 3),
        found=(Found(kind=F.REASONING_FIELD, detail="content[].thinking"),),
    ),
    Key(
        name="MiniMax: thoughts in the text",
        numbers=(19, 22),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"<think>\nItaly.\n"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"</think>\n\nRome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":7,"total_tokens":15}}

data: [DONE]

""",
        text="<think>\nItaly.\n</think>\n\nRome",
        usage=counted(8, 7),
        found=(Found(kind=F.LEAKED_MARKUP, count=2, detail="<think> </think>"),),
    ),
    Key(
        name="OpenAI: reasoning that is counted and not shown",
        numbers=(23,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":null}],"usage":null}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}

data: {"model":"m","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":138,"total_tokens":146,"completion_tokens_details":{"reasoning_tokens":128}}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 138, reasoning_tokens=128),
        found=(Found(kind=F.HIDDEN_REASONING, detail="128 reasoning tokens"),),
    ),
    Key(
        name="encrypted reasoning is hidden too",
        numbers=(22, 23),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"","reasoning":null,"reasoning_details":[{"type":"reasoning.encrypted","data":"gAAAA","id":"rs_1","format":"openai-responses-v1","index":0}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":65,"total_tokens":73,"completion_tokens_details":{"reasoning_tokens":64}}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 65, reasoning_tokens=64),
        found=(Found(kind=F.HIDDEN_REASONING, detail="64 reasoning tokens"),),
    ),
    Key(
        name="Groq refuses a parameter",
        numbers=(24,),
        status=400,
        content_type=JSON,
        body=rb"""{"error":{"message":"logprobs is not supported with this model","type":"invalid_request_error","param":"logprobs"}}""",
        finish_reason=None,
        failure=FailureKind.BAD_REQUEST,
        said="logprobs is not supported with this model",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="Mistral forbids an unknown parameter",
        numbers=(24,),
        status=422,
        content_type=JSON,
        body=rb"""{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":1}]}""",
        finish_reason=None,
        failure=FailureKind.BAD_REQUEST,
        said="[{'type': 'extra_forbidden', 'loc': ['body', 'seed'], 'msg': 'Extra inputs are not permitted', 'input': 1}]",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="a parameter that is dropped without a word leaves no trace",
        numbers=(24, 26),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
    ),
    Key(
        name="Ollama cuts the prompt to its window, at status 200",
        numbers=(25, 27),
        body=rb"""data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"Rome"},"finish_reason":null}]}

data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}

data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[],"usage":{"prompt_tokens":4096,"completion_tokens":1,"total_tokens":4097}}

data: [DONE]

""",
        text="Rome",
        usage=counted(4096, 1),
    ),
    Key(
        name="llama.cpp refuses a prompt that is too long",
        numbers=(27,),
        status=400,
        content_type=JSON,
        body=rb"""{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":12011,"n_ctx":1024}}""",
        finish_reason=None,
        failure=FailureKind.BAD_REQUEST,
        said="the request exceeds the available context size, try increasing it",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="max_tokens lowered: an end by length that was not asked for",
        numbers=(27,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome is the"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11}}

data: [DONE]

""",
        text="Rome is the",
        finish_reason="length",
        usage=counted(8, 3),
        found=(Found(kind=F.USAGE_ON_CHOICE_CHUNK),),
    ),
    Key(
        name="logprobs in the older shape, empty, and null",
        numbers=(28,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"logprobs":{"tokens":["Ro"],"text_offset":[0],"token_logprobs":[-0.1],"top_logprobs":[{"Ro":-0.1}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"me"},"logprobs":{"content":[{"token":"","bytes":[],"logprob":-9999.0,"top_logprobs":[]}]},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 2),
    ),
    Key(
        name="one question at temperature 0, once",
        numbers=(29,),
        body=rb"""data: {"model":"m","system_fingerprint":"fp_a","choices":[{"index":0,"delta":{"content":"It is Rome."},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":4,"total_tokens":12}}

data: [DONE]

""",
        text="It is Rome.",
        usage=counted(8, 4),
    ),
    Key(
        name="the same question at temperature 0, once more: no finding, each record says what came",
        numbers=(29,),
        body=rb"""data: {"model":"m","system_fingerprint":"fp_a","choices":[{"index":0,"delta":{"content":"Rome, of course."},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":5,"total_tokens":13}}

data: [DONE]

""",
        text="Rome, of course.",
        usage=counted(8, 5),
    ),
    Key(
        name="llama.cpp is loading",
        numbers=(30,),
        status=503,
        content_type=JSON,
        body=rb"""{"error":{"message":"Loading model","type":"unavailable_error","code":503}}""",
        finish_reason=None,
        failure=FailureKind.UNAVAILABLE,
        said="Loading model",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="a gateway waited for the wake in vain",
        numbers=(30,),
        status=504,
        content_type=JSON,
        body=rb"""{"error":{"message":"The model did not wake within 600 s","type":"gateway_timeout","code":"wake_timeout"}}""",
        finish_reason=None,
        failure=FailureKind.GATEWAY_TIMEOUT,
        said="The model did not wake within 600 s",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="nothing behind the gateway",
        numbers=(30,),
        status=503,
        content_type="text/plain",
        body=rb"""no healthy upstream""",
        finish_reason=None,
        failure=FailureKind.NO_UPSTREAM,
        said="no healthy upstream",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="a 429 that says nothing of limits",
        numbers=(31,),
        status=429,
        content_type=JSON,
        body=rb"""{"error":{"message":"Too many requests","type":"rate_limit_error","param":null,"code":null}}""",
        finish_reason=None,
        failure=FailureKind.RATE_LIMITED,
        said="Too many requests",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="vLLM's answer without a header of limits, with fields of its own",
        numbers=(31,),
        body=rb"""data: {"id":"chatcmpl-8","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"logprobs":null,"finish_reason":null,"token_ids":null}],"prompt_token_ids":null}

data: {"id":"chatcmpl-8","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}]}

data: {"id":"chatcmpl-8","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":8,"total_tokens":10,"completion_tokens":2},"metrics":{"ttft":0.02}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 2),
    ),
)
