"""What ran, from what, with what: as text."""

from collections.abc import Iterator, Mapping, Sequence
from shlex import quote

from harness.analysis.results.case import Case, Side
from harness.model.record import Arrival, RunHeader
from harness.report import format as fmt
from harness.report.page import Cell, Column, Fact, Group, SideLabel, Table
from harness.report.untrusted import one_line, visible

_VALUE_LIMIT = 400
_LOADS = {True: "requests in flight", False: "requests per second"}
_IDENTITY = ("name", "base_url", "model", "api_key")  # what must differ between two endpoints


def sides_of(case: Case) -> tuple[Side, ...]:
    """Give the sides that there are."""
    return (case.reference,) if case.candidate is None else (case.reference, case.candidate)


def side_labels(case: Case) -> tuple[SideLabel, ...]:
    """Name the sides."""
    return tuple(
        SideLabel(
            arm=side.arm.value,
            name=visible(side.name),
            model=one_line(str(side.endpoint.get("model", "model not named"))),
            base_url=one_line(str(side.endpoint.get("base_url", ""))),
            note=_recorded(side) if side.was_recorded_earlier else "",
        )
        for side in sides_of(case)
    )


def _recorded(side: Side) -> str:
    when = f" ({side.started_at[:10]})" if side.started_at else ""
    return f"recorded earlier{when}, in {side.run_id}"


def endpoints_table(case: Case) -> Table:
    """Lay the endpoint files side by side, differences marked."""
    sides = sides_of(case)
    flat = [dict(flatten(side.endpoint)) for side in sides]
    paths = sorted({path for found in flat for path in found}, key=lambda path: (_rank(path), path))
    return Table(
        caption="Endpoints as configured; keys stay references to the environment",
        columns=(
            Column(title="", is_number=False),
            *(
                Column(
                    title=f"{visible(side.name)} ({side.arm})" if len(sides) > 1 else visible(side.name),
                    is_number=False,
                )
                for side in sides
            ),
        ),
        rows=tuple(_path_row(path, [found.get(path) for found in flat]) for path in paths),
    )


def _rank(path: str) -> int:
    return _IDENTITY.index(path) if path in _IDENTITY else len(_IDENTITY)


def _path_row(path: str, values: Sequence[str | None]) -> tuple[Cell, ...]:
    differs = len(set(values)) > 1 and path not in _IDENTITY
    cells = (Cell(text=fmt.DASH if text is None else text, tone="warn" if differs else "plain") for text in values)
    return (Cell(text=path, detail="differs" if differs else ""), *cells)


def flatten(value: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give every leaf of nested mappings with its dotted path."""
    for key, inner in value.items():
        path = f"{prefix}{key}"
        if isinstance(inner, Mapping) and inner:
            yield from flatten(inner, f"{path}.")
        else:
            yield path, _leaf(inner)


def _leaf(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return one_line(", ".join(map(_leaf, value)), _VALUE_LIMIT) or "none"
    return one_line(str(value), _VALUE_LIMIT)


def manifest_groups(case: Case, header: RunHeader | None) -> tuple[Group, ...]:
    """Give identity, plan and provenance of the run."""
    if header is None:
        return (Group(title="Run", facts=(*_identity(case), Fact(label="header", value="not given"))),)
    facts = tuple(
        Group(title=f"Facts of {arm.arm.value}" if len(header.arms) > 1 else "Facts", facts=_facts(arm.facts))
        for arm in header.arms
        if arm.facts
    )
    groups = (
        Group(title="Run", facts=(*_identity(case), *_run_facts(header))),
        Group(title="Plan", facts=_plan_facts(header)),
        *facts,
        Group(title="Provenance", facts=_facts(header.provenance)),
        Group(title="Clock", facts=_facts(header.clock)),
    )
    return tuple(group for group in groups if group.facts)


def reproduce(case: Case, header: RunHeader | None, folders: Sequence[str] = ()) -> tuple[Fact, ...]:
    """Give the commands that measure again and that judge the same recording again, from the folders as given."""
    runs = dict.fromkeys(side.run_id for side in sides_of(case))
    places = folders or tuple(f"results/{run}" for run in runs)
    command = "compare" if len(places) > 1 else "report"  # `report` judges each folder by itself
    again = Fact(
        label="judge the recording again, offline",
        value=f"bench {command} {' '.join(one_line(quote(place), _VALUE_LIMIT) for place in places)}",
        detail="" if case.margins_are_from_plan else "with the --settings that this report was judged under",
    )
    if header is None:
        return (again,)
    digest = f"plan {header.plan_sha256[:12]}, golden set {case.golden.sha256[:12]}, seed {header.plan.seed}"
    return (Fact(label="measure again", value=one_line(header.command, _VALUE_LIMIT), detail=digest), again)


def _identity(case: Case) -> tuple[Fact, ...]:
    return (
        Fact(label="run", value=case.reference.run_id if case.candidate is None else case.candidate.run_id),
        Fact(label="golden set", value=f"{case.golden.name} {case.golden.version}"),
        Fact(label="golden digest", value=case.golden.sha256),
    )


def _run_facts(header: RunHeader) -> tuple[Fact, ...]:
    return (
        Fact(label="command", value=one_line(header.command, _VALUE_LIMIT)),
        Fact(label="started", value=header.started_at),
        Fact(label="ended", value=header.ended_at or "did not end"),
        Fact(label="status", value=header.status.value, detail=header.status_reason or ""),
        Fact(label="record format", value=str(header.format_version)),
        *_parts(header),
    )


def _parts(header: RunHeader) -> Iterator[Fact]:
    """Give the commands that a run was made by, where there were several."""
    if len(header.all_parts) == 1:
        return
    for number, part in enumerate(header.all_parts, 1):
        ended = f"{part.status.value} {part.ended_at or ''}".strip()
        detail = f"look {part.look}, plan {part.plan_sha256[:12]}, {part.started_at}: {ended}"
        notes = f"; {one_line('; '.join(part.notes), _VALUE_LIMIT)}" if part.notes else ""
        yield Fact(label=f"part {number}", value=one_line(part.command, _VALUE_LIMIT), detail=f"{detail}{notes}")


def _plan_facts(header: RunHeader) -> tuple[Fact, ...]:
    plan = header.plan
    demoted = tuple(
        Fact(label=f"demoted: {item.gate}", value=f"n {item.n}, needs {item.needed}", detail=item.reason)
        for item in plan.demotions
    )
    return (
        Fact(label="plan digest", value=header.plan_sha256),
        Fact(label="seed", value=str(plan.seed)),
        Fact(label="arrival", value=plan.arrival.value),
        Fact(label="levels of load", value=_leaf(plan.load), detail=_load_unit(header)),
        Fact(label="blocks", value=fmt.count(len(plan.blocks))),
        Fact(label="look-ahead", value=fmt.count(plan.look_ahead), detail="blocks that one side may be ahead"),
        Fact(label="estimators", value=plan.estimators),
        *_facts(plan.settings),
        *demoted,
    )


def _load_unit(header: RunHeader) -> str:
    unit = _LOADS[header.plan.arrival is Arrival.CLOSED]
    return f"{unit} on each side" if len(header.arms) > 1 else unit


def _facts(mapping: Mapping[str, object]) -> tuple[Fact, ...]:
    return tuple(Fact(label=path, value=value) for path, value in flatten(mapping))
