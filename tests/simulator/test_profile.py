"""Profiles: what is shipped, what each mistake says."""

from pathlib import Path

import msgspec
import pytest

from harness.errors import ConfigError
from harness.model.shipped import shipped_profile, shipped_profile_names
from harness.simulator.profile import Profile, profile_schema
from harness.simulator.profilefile import expected_key, load_profile

SHIPPED = {
    "sim-h100",
    "sim-a100",
    "broken-tools",
    "slow-tail",
    "paraphraser",
    "other-tokenizer",
    "flaky",
    "rate-limited",
    "cold",
    "garbage",
    "all-errors",
}


def written(folder: Path, text: str) -> Path:
    file = folder / "profile.yml"
    file.write_text(f"name: p\n{text}", encoding="utf-8")
    return file


def test_the_shipped_profiles_are_these() -> None:
    assert set(shipped_profile_names()) == SHIPPED


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_profile_loads_under_its_name_and_model(name: str) -> None:
    profile = load_profile(shipped_profile(name))
    assert (profile.name, profile.model) == (name, "sim-model")


def test_shipped_profiles_draw_independently() -> None:
    seeds = [load_profile(shipped_profile(name)).seed for name in SHIPPED]
    assert len(set(seeds)) == len(SHIPPED)


def test_the_two_tiers_carry_their_decode_rates_and_lie_within_the_default_margins() -> None:
    h100, a100 = (load_profile(shipped_profile(name)) for name in ("sim-h100", "sim-a100"))
    assert (h100.decode.tokens_per_s, a100.decode.tokens_per_s) == (118.9, 106.6)
    assert a100.decode.tokens_per_s / h100.decode.tokens_per_s > 0.80
    assert a100.ttft.median_ms / h100.ttft.median_ms < 1.25  # type: ignore[union-attr]  # both are lognormal


def test_every_field_is_described() -> None:
    definitions = profile_schema()["$defs"]
    bare = [
        f"{name}.{key}"
        for name, part in definitions.items()
        for key, field in part["properties"].items()
        if "description" not in field and key != "shape"
    ]
    assert len(definitions) >= 12
    assert bare == []


def test_defaults_make_a_whole_profile(tmp_path: Path) -> None:
    assert load_profile(written(tmp_path, "")) == Profile(name="p")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("decode: {tokens_per_sec: 3}\n", ("tokens_per_sec", "Did you mean 'tokens_per_s'?", ":2 ")),
        ("ttft: {shape: gamma, ms: 3}\n", ("ttft.shape", "gamma")),
        ("ttft: {shape: constant, sigma: 3}\n", ("ttft",)),
        ("faults: [{fault: http_500}, {fault: http_999}]\n", ("http_999", "faults[1].fault", "http_500")),
        ("degradations: [{one_of: [drop], rate: 1}]\n", ("'drop'", "one_of[0]", "drop_argument")),
        ("degradations: [{one_of: [refuse], rate: 2}]\n", ("rate", "(found 2)")),
        ("api_key: sk-canary\n", ("api_key", "environment variable")),
        ("cold: {wake_s: -1}\n", ("wake_s", "(found -1)")),
    ],
)
def test_a_mistake_names_the_place_and_what_is_known(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_profile(written(tmp_path, text))
    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert "sk-canary" not in message


def test_the_expected_key_comes_from_the_environment() -> None:
    profile = msgspec.structs.replace(Profile(name="p"), api_key="${SIM_KEY}")
    assert expected_key(profile, {"SIM_KEY": "k"}) == "k"
    assert expected_key(Profile(name="p"), {}) is None
    with pytest.raises(ConfigError, match="SIM_KEY is not set"):
        expected_key(profile, {})
