"""`bench publish` and `bench verify`: the same runs give the same bytes, and no number can be changed unnoticed."""

import html
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import markdown  # type: ignore[import-untyped]  # it has no types
import pytest
from click.testing import Result

from harness.analysis.estimators import ESTIMATORS
from tests.cli.published import RECORDED, ROOT, bench, copied, edit, files, refused, replace_text

TODAY = "2026-12-01"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("published")).parent


@pytest.fixture(scope="module")
def published(results: Path) -> Path:
    page = results.parent / "docs" / "rates.md"
    assert publish(results, page, "--tier", "sim-b200").exit_code == 0
    return page


@pytest.fixture
def page(published: Path) -> Iterator[Path]:
    """A page of one's own into which the run was published; the run folder lies where the page says."""
    folder = Path(tempfile.mkdtemp(dir=published.parents[1]))
    shutil.copytree(published.parent, folder, dirs_exist_ok=True)
    yield folder / published.name
    shutil.rmtree(folder)


def publish(results: Path, page: Path, *more: str) -> Result:
    return bench("publish", results / RECORDED.name, "--into", page, "--today", TODAY, *more)


def verify(page: Path, *more: str) -> tuple[int, list[str]]:
    shown = bench("verify", page, "--today", TODAY, *more)
    return shown.exit_code, shown.stdout.splitlines()


def line_at(page: Path, words: str) -> int:
    """Count the page's lines up to the one with these words."""
    return page.read_text(encoding="utf-8").partition(words)[0].count("\n") + 1


def cells(page: Path, tier: str) -> list[list[str]]:
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {tier} |")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_each_tier_has_a_row_and_one_that_was_not_measured_says_so(page: Path) -> None:
    figures, conditions = cells(page, "sim-h100")
    data = {row["tier"]: row for row in json.loads((page.parent / "rates.json").read_bytes())["rows"]}
    decode = data["sim-h100"]["decode"]
    rate = f"**{decode['value']:.1f}** ({decode['low']:.1f} to {decode['high']:.1f})"
    assert figures[2:4] == [rate, "9 of 3 prompts"]
    assert figures[-1] == "valid for timing"
    assert conditions[1] == "`sim-model` at `127.0.0.1:8101`"
    assert data["sim-h100"]["golden_sha256"][:12] in conditions[2]
    load = "1 request in flight, closed loop; cache as is, 0.0 % of prompt tokens cached"
    assert conditions[3] == load.replace(" %", "\N{NO-BREAK SPACE}%")
    assert conditions[4] == "2.5 USD per million prompt tokens, 10 USD per million completion tokens"
    assert conditions[5] == f"`{RECORDED.name}`, reference; definitions {ESTIMATORS}, bench 0.1.0"
    assert cells(page, "sim-b200")[0][2] == "not yet measured"
    assert list(data) == ["sim-h100", "sim-a100"]


def test_what_lies_beside_the_page_says_the_same(page: Path) -> None:
    value = cells(page, "sim-a100")[0][2].split("**")[1]
    badge = json.loads((page.parent / "rates.badge.sim-a100.json").read_bytes())
    assert badge == {"schemaVersion": 1, "label": "sim-a100 decode", "message": f"{value} tok/s", "color": "blue"}
    assert json.loads((page.parent / "rates.badge.sim-b200.json").read_bytes())["message"] == "not yet measured"
    drawing = ET.parse(page.parent / "rates.svg").getroot()  # noqa: S314 - our own drawing
    described = drawing.findtext("{http://www.w3.org/2000/svg}desc") or ""
    assert f"sim-a100 {value} tok/s" in described
    assert "sim-b200 not yet measured" in described
    drawn = "".join(drawing.itertext())
    assert drawn.count(f"{value} tok/s") == 2  # described and drawn


def test_publishing_again_changes_no_byte(results: Path, page: Path) -> None:
    before = files(page.parent)
    shown = bench("publish", results / RECORDED.name, "--into", page, "--today", "2026-12-24", "--tier", "sim-b200")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert files(page.parent) == before


def test_only_age_changes_with_the_day(results: Path, page: Path) -> None:
    before = page.read_text(encoding="utf-8")
    bench("publish", results / RECORDED.name, "--into", page, "--tier", "sim-b200", "--today", "2027-06-01")
    after = page.read_text(encoding="utf-8")
    assert "**stale** (over 90 days)" in after
    undone = after.replace(", **stale** (over 90 days)", "")
    assert "\n".join(line for line in undone.split("\n") if not line.startswith("- Stale:")) == before
    badge = json.loads((page.parent / "rates.badge.sim-h100.json").read_bytes())
    assert (badge["message"].endswith("(stale)"), badge["color"]) == (True, "lightgrey")
    assert verify(page)[0] == 1  # marked stale before it was
    assert bench("verify", page, "--today", "2027-06-02").exit_code == 0


def test_a_page_that_became_stale_since_is_a_note(page: Path) -> None:
    shown = bench("verify", page, "--today", "2027-06-01")
    assert shown.exit_code == 0
    assert "over 90 days old and not marked so: sim-h100, sim-a100" in shown.stderr


def test_the_rest_of_a_page_stays_as_it_is(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "p.md"
    page.write_bytes(
        "# Ours\r\n\r\nbefore\r\n<!-- bench:throughput -->\r\n<!-- /bench:throughput -->\r\nafter é\r\n".encode()
    )
    assert publish(results, page).exit_code == 0
    content = page.read_bytes()
    assert content.startswith(b'# Ours\r\n\r\nbefore\r\n<!-- bench:throughput data="p.json" -->\r\n')
    assert content.endswith("<!-- /bench:throughput -->\r\nafter é\r\n".encode())
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert verify(page)[0] == 0


def test_a_label_is_shown_and_not_acted_on(tmp_path: Path) -> None:
    run = copied(tmp_path)
    label = "a|b <script>x</script> [l](http://e) `c` $d_e_"
    edit(run / "run.json", "arms", 0, "endpoint", "labels", "hardware", to=label)
    page = tmp_path / "p.md"
    assert publish(run.parent, page).exit_code == 0
    assert html.unescape(cells(page, "sim-h100")[0][1]) == label
    shown = markdown.markdown(page.read_text(encoding="utf-8"), extensions=["tables"])
    (row,) = re.findall("<tr>(.*?)</tr>", shown[shown.index("sim-h100</td>") - 20 :], re.DOTALL)[:1]
    assert "<script" not in row
    assert html.unescape(re.findall("<td>(.*?)</td>", row)[1]) == label
    assert verify(page)[0] == 0


def test_the_badge_of_a_tier_that_is_gone_goes_away(results: Path, page: Path) -> None:
    shown = bench("publish", f"{results / RECORDED.name}:candidate", "--into", page, "--today", TODAY)
    assert shown.exit_code == 0
    assert sorted(files(page.parent)) == ["rates.badge.sim-a100.json", "rates.json", "rates.md", "rates.svg"]
    assert "rates.badge.sim-h100.json (removed)" in shown.stdout
    assert verify(page)[0] == 0


def test_what_was_published_is_verified(page: Path) -> None:
    code, lines = verify(page)
    assert (code, lines) == (0, [f"{page}: 2 rows of 2 recomputed from recorded runs; every number is the same"])


def test_numbers_changed_on_the_page_are_named(page: Path) -> None:
    changed = (
        ("9 of 3 prompts", "90 of 3 prompts", "n of sim-h100"),
        ("valid for timing", "quite valid", "timings of sim-h100"),
        ("10 USD", "1 USD", "price of sim-h100"),
        ("not yet measured |", "**140.0** |", "decode, tok/s (95 % interval) of sim-b200"),
        ("It is not the throughput", "It is the throughput", f"line {line_at(page, 'It is not')}"),
    )
    for old, new, _ in changed:
        replace_text(page, old, new)
    code, lines = verify(page)
    assert code == 1
    for _, new, named in changed:
        assert [line for line in lines if line.startswith(f"{named}: {page} has") and new.strip("|* ") in line], named
    assert lines[-1].endswith("7 differences")  # n and timings stand in two rows, as does the price of one


def test_a_page_laid_out_anew_says_the_same(page: Path) -> None:
    """Formatters pad the cells of a table."""
    replace_text(page, " | ", "   |  ")
    replace_text(page, "|  ---   |", "| :------: |")
    assert verify(page)[0] == 0


def test_numbers_changed_in_the_data_are_named(page: Path) -> None:
    changed: tuple[tuple[int, tuple[str, ...], object], ...] = (
        (0, ("decode", "value"), 140.0),
        (1, ("decode", "n"), 900),
        (1, ("host",), "api.example"),
        (0, ("evidence_sha256",), "0"),
        (0, ("definitions",), "2"),
        (0, ("measured_at",), "2026-11-30T00:00:00+00:00"),
    )
    for row, path, to in changed:
        edit(page.parent / "rates.json", "rows", row, *path, to=to)
    code, lines = verify(page)
    assert code == 1
    for row, path, _ in changed:
        named = f"{'.'.join(path)} of {('sim-h100', 'sim-a100')[row]}: {page.parent / 'rates.json'} has"
        assert [line for line in lines if line.startswith(named) and RECORDED.name in line], named
    assert lines[-1].endswith("6 differences")


def test_a_row_that_stands_twice_is_named(page: Path) -> None:
    """A reader takes the one above; the true one below it says nothing of that."""
    text = page.read_text(encoding="utf-8")
    for row in [line for line in text.splitlines() if line.startswith("| sim-h100 |")]:
        text = text.replace(row, re.sub(r"\*\*[0-9.]+\*\*|2\.5 USD", "**999.9**", row) + "\n" + row)
    page.write_text(text, encoding="utf-8")
    code, lines = verify(page)
    assert code == 1
    first = f"decode, tok/s (95 % interval) of sim-h100: {page} has **999.9**"
    assert any(line.startswith(first) for line in lines)
    assert any(line.startswith("price of sim-h100, row 2: ") for line in lines)


def test_what_the_data_say_besides_is_named(page: Path) -> None:
    """Keys that no row has, a sentence with the same digits, a head that nobody would write."""
    data = page.parent / "rates.json"
    content = json.loads(data.read_bytes())
    content["rows"][0]["peak_decode_tok_s"] = 999.0
    content["rows"][1]["hardware"] = content["rows"][1]["hardware"].replace("A100", "B100")
    content["rows"][1]["instrument"] = content["rows"][1]["instrument"].replace("valid", "void")
    content["endorsed_by"] = "nobody"
    data.write_text(json.dumps(content), encoding="utf-8")
    code, lines = verify(page)
    assert code == 1
    for named in ("peak_decode_tok_s of sim-h100", "hardware of sim-a100", "instrument of sim-a100", "endorsed_by"):
        assert any(line.startswith(f"{named}: {data} has ") for line in lines), named
    assert lines[-1].endswith("4 differences")


def test_a_plot_of_another_library_is_held_by_what_is_read_in_it(page: Path) -> None:
    edit(page.parent / "rates.json", "plotted_with", to="matplotlib 3.0.0")
    drawing = page.parent / "rates.svg"
    text = drawing.read_text(encoding="utf-8")
    shown = bench("verify", page, "--today", TODAY)
    assert (shown.exit_code, "its texts are compared" in shown.stderr) == (0, True)
    drawing.write_text(text.replace("<path", "<path data-x='x'"), encoding="utf-8")
    assert verify(page)[0] == 0
    head, end, drawn = text.partition("</desc>")
    rate = cells(page, "sim-h100")[0][2].split("**")[1]
    assert rate in drawn
    false = (head + end + drawn.replace(rate, "999.9"), text.replace("</svg>", "<image href='x.png'/></svg>"))
    for content in false:
        drawing.write_text(content, encoding="utf-8")
        code, lines = verify(page)
        assert (code, lines[0].startswith("the plot: ")) == (1, True)


@pytest.mark.parametrize(("path", "to"), [(("measured_at",), "someday"), (("arm",), "neither"), (("decode", "n"), "9")])
def test_data_that_is_no_data_is_damaged(page: Path, path: tuple[str, ...], to: str) -> None:
    edit(page.parent / "rates.json", "rows", 0, *path, to=to)
    assert "damaged" in refused("verify", page)


def test_a_changed_badge_and_a_changed_plot_are_named(page: Path) -> None:
    edit(page.parent / "rates.badge.sim-h100.json", "message", to="140.0 tok/s")
    replace_text(page.parent / "rates.svg", "<path", "<path id='x'")
    (page.parent / "rates.badge.sim-b200.json").unlink()
    code, lines = verify(page)
    assert code == 1
    assert {line.partition(":")[0] for line in lines[:-1]} == {"the plot", "message", "rates.badge.sim-b200.json"}


def test_a_changed_run_is_found_by_its_numbers(page: Path, tmp_path: Path) -> None:
    run = copied(tmp_path)
    lines = (run / "attempts.jsonl").read_text().splitlines()
    attempts = [json.loads(line) for line in lines]
    for attempt in attempts:
        reads = attempt["reads"]
        reads["at_ns"] = [reads["at_ns"][0] + (at - reads["at_ns"][0]) * 9 // 10 for at in reads["at_ns"]]
        reads["seen_at_ns"] = reads["at_ns"]
    (run / "attempts.jsonl").write_text("".join(json.dumps(attempt) + "\n" for attempt in attempts))
    code, said = verify(page, "--results", str(run.parent))
    assert code == 1
    assert "it is not reproducible" in said[0]
    assert refused("publish", run, "--into", tmp_path / "x.md").count("verdict.json has") == 3
    assert not (tmp_path / "x.md").exists()


def test_a_run_that_is_not_there_leaves_its_numbers_unverified(page: Path, results: Path) -> None:
    moved = results.rename(results.with_name("elsewhere"))
    try:
        shown = bench("verify", page, "--today", TODAY)
        assert shown.exit_code == 2
        assert "its numbers are not verified" in shown.stderr
        assert shown.stderr.count(f"results/{RECORDED.name}") == 1
        assert shown.stdout == (
            f"{page}: 0 rows of 2 recomputed from recorded runs; not verified, as the run is not there: 2 rows\n"
        )
        assert verify(page, "--results", str(moved))[0] == 0
        replace_text(page, "9 of 3 prompts", "90 of 3 prompts")
        assert bench("verify", page, "--today", TODAY).exit_code == 1
    finally:
        moved.rename(results)


@pytest.mark.parametrize(
    ("file", "path", "to", "reason"),
    [
        ("run.json", ("status",), "stopped", "the run did not finish: stopped"),
        ("run.json", ("plan", "seed"), 7, "the plan does not match its digest"),
        ("run.json", ("golden", "prompts", 0, "intent"), "", "its golden set is not the one that its plan names"),
        ("run.json", ("arms", 0, "endpoint", "labels"), {}, "endpoint sim-h100 has no tier"),
        ("run.json", ("arms", 0, "endpoint", "labels", "tier"), "sim-a100", "tier sim-a100 is of two runs"),
        ("verdict.json", ("tails", 0, "n"), 99, "verdict.json has 99, the folder gives 9"),
        (
            "verdict.json",
            ("estimators",),
            "2",
            f"under definitions 2, and these are {ESTIMATORS}: bench recompute",
        ),
    ],
)
def test_a_run_that_cannot_be_relied_on_is_refused(
    tmp_path: Path, file: str, path: tuple[str | int, ...], to: object, reason: str
) -> None:
    run = copied(tmp_path)
    edit(run / file, *path, to=to)
    assert reason in refused("publish", run, "--into", tmp_path / "x.md")
    assert files(tmp_path) == {}


def test_a_run_that_was_never_judged_or_is_torn_or_redacted_is_refused(tmp_path: Path) -> None:
    run = copied(tmp_path)
    (run / "verdict.json").unlink()
    (run / "attempts.jsonl").write_text((run / "attempts.jsonl").read_text()[:-20])
    (run / "redacted.json").write_text("{}")
    said = refused("publish", run, "--into", tmp_path / "x.md")
    for reason in ("no verdict.json", "torn off by the end of the process", "a redacted copy"):
        assert reason in said


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "<!-- bench:throughput -->",
        "<!-- /bench:throughput --><!-- bench:throughput -->",
        "<!-- bench:throughput --><!-- bench:throughput --><!-- /bench:throughput -->",
    ],
)
def test_a_page_without_its_two_markers_is_refused(results: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "p.md").write_text(text)
    assert "<!-- /bench:throughput -->" in refused("publish", results / RECORDED.name, "--into", tmp_path / "p.md")
    assert files(tmp_path) == {"p.md": text.encode()}


def test_a_file_of_somebody_else_is_not_replaced(results: Path, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"a": 1}')
    assert "Name another page" in refused("publish", results / RECORDED.name, "--into", tmp_path / "p.md")
    (tmp_path / "p.json").unlink()
    (tmp_path / "p.svg").write_text("<svg/>")
    assert "would be replaced" in refused("publish", results / RECORDED.name, "--into", tmp_path / "p.md")
    assert files(tmp_path) == {"p.svg": b"<svg/>"}


def test_machines_read_what_was_verified(page: Path, results: Path) -> None:
    replace_text(page, "9 of 3 prompts", "90 of 3 prompts")
    shown = bench("verify", page, results / RECORDED.name, "--today", TODAY, "--json")
    one, other = json.loads(shown.stdout)["verified"]
    assert shown.exit_code == 1
    assert [found["number"] for found in one["differences"]] == ["n of sim-h100", "n of sim-a100"]
    assert (other["thing"], other["differences"]) == (str(results / RECORDED.name), [])


def test_a_page_that_nothing_was_published_into_has_nothing_to_verify(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_text("<!-- bench:throughput -->\n<!-- /bench:throughput -->\n")
    assert "nothing was published into it" in refused("verify", tmp_path / "p.md")
    assert "no such page" in refused("verify", tmp_path / "gone.md")


def test_the_repository_s_own_page_is_verified() -> None:
    shown = bench("verify", ROOT / "docs" / "throughput.md")
    assert shown.exit_code == 0, shown.output


def test_the_repository_s_own_figures_hold_the_simulated_truth() -> None:
    truth = {"sim-h100": 118.9, "sim-a100": 106.6}
    for name, rate in truth.items():
        profile = (ROOT / "harness" / "simulator" / "profiles" / f"{name}.yml").read_text()
        assert f"tokens_per_s: {rate}" in profile
    rows = json.loads((ROOT / "docs" / "throughput.json").read_bytes())["rows"]
    assert {
        row["tier"]: row["decode"]["low"] <= truth[row["tier"]] <= row["decode"]["high"] for row in rows
    } == dict.fromkeys(truth, True)
    assert all("simulated" in row["hardware"] for row in rows)


def test_the_committed_run_is_small() -> None:
    assert sum(file.stat().st_size for file in RECORDED.iterdir()) < 300_000
