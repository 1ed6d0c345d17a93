"""Finish reasons in the contract's words: what servers call an end and a cut by other names."""

_CONTRACT_WORDS = {
    "eos": "stop",  # Together
    "eos_token": "stop",  # Text Generation Inference
    "stop_sequence": "stop",  # Text Generation Inference, after a text of the request's `stop`
    "model_length": "length",  # Mistral, where the model's window is full
}


def contract_word(reason: str | None) -> str | None:
    """Give the contract's name of a finish reason; one that is not known stays as it came."""
    return None if reason is None else _CONTRACT_WORDS.get(reason, reason)
