"""Repeats a request's credentials in its response, as servers do that quote what they refuse."""

import operator

from harness.simulator.script import Event, Script, replace, with_body

_MESSAGE = b'"message":"'


def echoed(script: Script, credentials: str) -> Script:
    """Put the credentials into two headers and into every error's message."""
    if script.status is None:
        return script
    headers = (*script.headers, ("X-Echo", credentials), ("X-Cache", credentials))
    said = _MESSAGE + credentials.encode("latin-1") + b": "
    events = tuple(_with_message(event, said) for event in script.events)
    if all(map(operator.is_, events, script.events)):
        return replace(script, headers=headers)
    changed = replace(script, headers=headers, events=events)
    last = events[-1].data
    return changed if script.is_stream or not isinstance(last, bytes) else with_body(changed, last)


def _with_message(event: Event, said: bytes) -> Event:
    if not isinstance(event.data, bytes) or b'"error"' not in event.data:
        return event
    data = event.data.replace(b'"message": "', _MESSAGE).replace(_MESSAGE, said)
    return Event(event.at_ns, data, event.n_tokens)
