"""Deviations 1 to 8: how a stream is framed, and what comes instead of one."""
# ruff: noqa: E501  # a stream is written as it comes

from harness.analysis.results.trial import Rung
from harness.model.record import FailureKind, FindingKind
from tests.decode.answerkeys.key import JSON, Found, Key, counted

F = FindingKind

KEYS = (
    Key(
        name="OpenAI, by the contract",
        body=rb"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"m","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"Xq2"}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"m","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"Rome"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"9a"}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"m","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" is warm."},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"w"}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"m","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null,"obfuscation":"Pz0b"}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"m","service_tier":"default","system_fingerprint":"fp_1","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":4,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"obfuscation":""}

data: [DONE]

""",
        text="Rome is warm.",
        usage=counted(11, 4, cached_tokens=0, reasoning_tokens=0),
    ),
    Key(
        name="OpenRouter's comments while the model is busy",
        numbers=(1,),
        body=rb""": OPENROUTER PROCESSING

: OPENROUTER PROCESSING

data: {"id":"gen-1","provider":"DeepInfra","model":"m","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"Rome"},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]}

: OPENROUTER PROCESSING

data: {"id":"gen-1","provider":"DeepInfra","model":"m","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":"stop","logprobs":null}]}

data: {"id":"gen-1","provider":"DeepInfra","model":"m","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null,"logprobs":null}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(
            Found(kind=F.COMMENTS, count=3, detail="OPENROUTER PROCESSING"),
            Found(kind=F.USAGE_ON_CHOICE_CHUNK),
        ),
    ),
    Key(
        name="DeepSeek's blank lines before an unstreamed answer",
        numbers=(1,),
        body=rb"""



{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Rome"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":0}}""",
        content_type=JSON,
        asked_stream=False,
        text="Rome",
        usage=counted(8, 1, cached_tokens=8),
    ),
    Key(
        name="pings without data",
        numbers=(2,),
        body=rb"""event: ping

data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":null}]}

data:

data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"model":"m","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.EMPTY_DATA, count=2, detail="ping"),),
    ),
    Key(
        name="pings with an object of their own",
        numbers=(2,),
        body=rb"""event: ping
data: {"type":"ping"}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"model":"m","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.EMPTY_CHOICES, detail="keys: type"),),
    ),
    Key(
        name="no space behind data",
        numbers=(3,),
        body=rb"""data:{"model":"m","choices":[{"index":0,"delta":{"content":" Rome"},"finish_reason":"stop"}]}

data:{"model":"m","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data:[DONE]

""",
        text=" Rome",
        usage=counted(8, 1),
    ),
    Key(
        name="lines that end in CR LF",
        numbers=(3,),
        body=b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome\\r\\n"},"finish_reason":"stop"}]}\r\n\r\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}\r\n\r\n'
        b"data: [DONE]\r\n\r\n",
        text="Rome\r\n",
        usage=counted(8, 1),
    ),
    Key(
        name="lines that end in CR",
        numbers=(3,),
        body=b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}\r\r'
        b'data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}\r\r'
        b"data: [DONE]\r\r",
        text="Rome",
        usage=counted(8, 1),
    ),
    Key(
        name="a byte order mark",
        numbers=(3,),
        body=b'\xef\xbb\xbfdata: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}\n\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}\n\n'
        b"data: [DONE]\n\n",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.BYTE_ORDER_MARK),),
    ),
    Key(
        name="line separators of Unicode inside a text",
        numbers=(3,),
        body=b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"a\xe2\x80\xa8b\xe2\x80\xa9c\xc2\x85d"},"finish_reason":"stop"}]}\n\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":7,"total_tokens":15}}\n\n'
        b"data: [DONE]\n\n",
        text="a\u2028b\u2029c\u0085d",
        usage=counted(8, 7),
    ),
    Key(
        name="no [DONE] behind a finish reason",
        numbers=(4,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Rome"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":null}

data: {"model":"m","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}

""",
        text="Rome",
        usage=counted(8, 2),
        found=(Found(kind=F.NO_DONE),),
    ),
    Key(
        name="neither [DONE] nor a finish reason",
        numbers=(4,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Rome is"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":" wa"},"finish_reason":null}]}

""",
        text="Rome is wa",
        finish_reason=None,
        failure=FailureKind.TRUNCATED_STREAM,
        said="ended without finish_reason and without [DONE]",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="a connection held open behind [DONE] until the client's patience ends",
        numbers=(5,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        transport=FailureKind.TIMEOUT_IDLE,
        text="Rome",
        usage=counted(8, 1),
    ),
    Key(
        name="events behind [DONE]",
        numbers=(5,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

data: {"model":"m","choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"length"}]}

data: [DONE]

""",
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.BYTES_AFTER_DONE, count=2, detail="106 bytes in 2 events"),),
    ),
    Key(
        name="vLLM's error inside the stream",
        numbers=(6,),
        body=rb"""data: {"id":"chatcmpl-2","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":null}]}

data: {"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "param": null, "code": 500}}

data: [DONE]

""",
        text="Ro",
        finish_reason=None,
        failure=FailureKind.ERROR_IN_STREAM,
        said="EngineCore encountered an issue.",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="OpenRouter's error beside a choice",
        numbers=(6, 13),
        body=rb"""data: {"id":"gen-2","model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":null}]}

data: {"id":"gen-2","model":"m","provider":"X","error":{"code":502,"message":"Provider disconnected","metadata":{"provider_name":"X"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}

""",
        text="Ro",
        finish_reason="error",
        failure=FailureKind.ERROR_IN_STREAM,
        said="Provider disconnected",
        found=(Found(kind=F.FINISH_REASON_UNKNOWN, detail="error"),),
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="llama.cpp's field error",
        numbers=(6,),
        body=rb"""data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,"id":"chatcmpl-3","model":"m","system_fingerprint":"b6600","object":"chat.completion.chunk"}

error: {"code":500,"message":"context shift is disabled","type":"server_error"}

""",
        finish_reason=None,
        failure=FailureKind.ERROR_IN_STREAM,
        said="context shift is disabled",
        found=(
            Found(
                kind=F.NONSTANDARD_ERROR_FIELD,
                detail='{"code":500,"message":"context shift is disabled","type":"server_error"}',
            ),
        ),
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="Groq's event error",
        numbers=(6,),
        body=rb"""data: {"id":"chatcmpl-4","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"x_groq":{"id":"req_1"}}

event: error
data: {"error":{"message":"Failed to call a function.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<function=get_weather>"}}

data: [DONE]

""",
        finish_reason=None,
        failure=FailureKind.ERROR_IN_STREAM,
        said="Failed to call a function.",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="an older vLLM's flat error",
        numbers=(6,),
        body=rb"""data: {"object":"error","message":"list index out of range","type":"BadRequestError","param":null,"code":400}

data: [DONE]

""",
        finish_reason=None,
        failure=FailureKind.ERROR_IN_STREAM,
        said="list index out of range",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="a gateway's message and nothing else",
        numbers=(6,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":null}]}

data: {"message":"upstream idle timeout"}

""",
        text="Ro",
        finish_reason=None,
        failure=FailureKind.ERROR_IN_STREAM,
        said="upstream idle timeout",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="a proxy's detail",
        numbers=(6,),
        body=rb"""data: {"detail":"Internal Server Error"}

""",
        finish_reason=None,
        failure=FailureKind.ERROR_IN_STREAM,
        said="Internal Server Error",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="Ollama's error as a text",
        numbers=(6,),
        body=rb"""data: {"error":"an error was encountered while running the model: unexpected EOF"}

""",
        finish_reason=None,
        failure=FailureKind.ERROR_IN_STREAM,
        said="an error was encountered while running the model: unexpected EOF",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="a content filter inside the stream",
        numbers=(6,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":null}]}

data: {"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter"}}

""",
        text="Ro",
        finish_reason=None,
        failure=FailureKind.REFUSED_BY_BUDGET,
        said="The response was filtered",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="llama.cpp's over-long prompt at status 200",
        numbers=(6, 7),
        body=rb"""{"error":{"code":400,"message":"the request exceeds the available context size","type":"invalid_request_error"}}""",
        content_type="application/json; charset=utf-8",
        finish_reason=None,
        failure=FailureKind.ERROR_IN_STREAM,
        said="the request exceeds the available context size",
        found=(Found(kind=F.STREAM_ANSWERED_WITH_JSON, detail="application/json; charset=utf-8"),),
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="one JSON body for a stream",
        numbers=(7,),
        body=rb"""{"id":"chatcmpl-5","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Rome"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}""",
        content_type=JSON,
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.STREAM_ANSWERED_WITH_JSON, detail=JSON),),
    ),
    Key(
        name="a stream that calls itself JSON",
        numbers=(7,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        content_type=JSON,
        text="Rome",
        usage=counted(8, 1),
    ),
    Key(
        name="a stream that was not asked for",
        numbers=(7,),
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}

data: [DONE]

""",
        asked_stream=False,
        text="Rome",
        usage=counted(8, 1),
        found=(Found(kind=F.JSON_ANSWERED_WITH_STREAM, detail="text/event-stream"),),
    ),
    Key(
        name="a login page at status 200",
        numbers=(7,),
        body=rb"""<!DOCTYPE html>
<html><head><title>Sign in to continue</title></head><body>...</body></html>""",
        content_type="text/html",
        finish_reason=None,
        failure=FailureKind.NOT_A_COMPLETION,
        said="Sign in to continue",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="a stream that came compressed",
        numbers=(8,),
        # gzip of: data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]} and [DONE]
        body=bytes.fromhex(
            "1f8b08000000000002031d8cb10ac3300c05777f4578b387ce9a9bb581ae211463abc4104ba1d65030fef798ac77c7a56081"
            "a686a2890f100a3ce2ae397205ad0d5912ff410f8fe12d801aa28ab1d888df5a18dde39b25d7fdf3e3505506afa627fad69d"
            "4bf77e7d2eaf7973ee0267bec2386d000000"
        ),
        headers=("Content-Encoding: gzip",),
        text="Rome",
        found=(Found(kind=F.COMPRESSED, detail="gzip"), Found(kind=F.USAGE_MISSING)),
    ),
    Key(
        name="a coding that nobody asked for and that is not undone",
        numbers=(8,),
        body=b"\x0b\x02\x80data\x03",
        headers=("Content-Encoding: br",),
        finish_reason=None,
        failure=FailureKind.MALFORMED_HTTP,
        said="content coding br is not decoded",
        found=(
            Found(kind=F.COMPRESSED, detail="br"),
            Found(kind=F.CHUNK_FRAMING_LOST, detail="content coding br is not decoded"),
        ),
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="the last blank line missing",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Rome"},"finish_reason":"stop"}]}

data: [DONE]""",
        text="Rome",
        found=(Found(kind=F.USAGE_MISSING), Found(kind=F.UNFINISHED_LAST_EVENT, detail="[DONE]")),
    ),
    Key(
        name="cut inside an event",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":null}]}

data: {"model":"m","choices":[{"index":0,"delta":{"content":"me"},"fini""",
        text="Ro",
        finish_reason=None,
        failure=FailureKind.TRUNCATED_STREAM,
        said="ended without finish_reason and without [DONE]",
        found=(
            Found(
                kind=F.UNFINISHED_LAST_EVENT,
                detail='{"model":"m","choices":[{"index":0,"delta":{"content":"me"},"fini',
            ),
        ),
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="cut by the connection's end",
        body=rb"""data: {"model":"m","choices":[{"index":0,"delta":{"content":"Ro"},"finish_reason":null}]}

""",
        transport=FailureKind.CUT_OFF,
        text="Ro",
        finish_reason=None,
        failure=FailureKind.CUT_OFF,
        said="seen by the player",
        rung=Rung.TRANSPORT,
    ),
    Key(
        name="an event that is no JSON, bytes that are no UTF-8, half of a surrogate pair",
        body=b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"R\xff"},"finish_reason":null}]}\n\n'
        b"data: {'choices': []}\n\n"
        b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"\\ud83d"},"finish_reason":"stop"}]}\n\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}\n\ndata: [DONE]\n\n',
        text="R\ufffd\ufffd",
        usage=counted(8, 2),
        found=(
            Found(kind=F.INVALID_UTF8, count=2),
            Found(kind=F.UNDECODABLE_EVENT, detail="JSONDecodeError: {'choices': []}"),
        ),
    ),
)
