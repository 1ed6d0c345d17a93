"""The child that measures as one does without a harness: the SDK's stream in a loop, a clock reading per chunk."""

import asyncio
import sys
import time

from openai import AsyncOpenAI

from benchmarks.truth.seen import SeenStream, Sighting, seen_text
from benchmarks.truth.shape import Shape, from_text
from harness.measure.loop import loop_factory


def main() -> None:
    """Measure argv's base URL with argv's shape; write what was seen to standard output."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        sys.stdout.write(seen_text(runner.run(_measure(sys.argv[1], from_text(sys.argv[2])))))


async def _measure(base_url: str, shape: Shape) -> Sighting:
    client = AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=600)
    await _one(client, shape)  # the SDK's first call loads half of it
    began_ns = time.process_time_ns()
    per_stream = await asyncio.gather(*(_rounds(client, shape) for _ in range(shape.streams)))
    cpu_ns = time.process_time_ns() - began_ns
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    return Sighting(streams=[seen for rounds in per_stream for seen in rounds], loop=loop, cpu_ns=cpu_ns)


async def _rounds(client: AsyncOpenAI, shape: Shape) -> list[SeenStream]:
    return [await _one(client, shape) for _ in range(shape.rounds)]


async def _one(client: AsyncOpenAI, shape: Shape) -> SeenStream:
    sent_at_ns = time.monotonic_ns()
    stream = await client.chat.completions.create(
        model="truth-model",
        messages=[{"role": "user", "content": "Count."}],
        max_tokens=shape.tokens,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    response_id, instants = "", []
    async for chunk in stream:
        now_ns = time.monotonic_ns()
        response_id = chunk.id
        if chunk.choices and chunk.choices[0].delta.content:
            instants.append(now_ns)
    return SeenStream(id=response_id, sent_at_ns=sent_at_ns, ended_at_ns=time.monotonic_ns(), output_at_ns=instants)


if __name__ == "__main__":
    main()
