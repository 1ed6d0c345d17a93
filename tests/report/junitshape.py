"""The shape of a JUnit file: what both schemas in use (Jenkins' junit-10.xsd, windyroad's JUnit.xsd) ask for."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

SUITE = {"name", "tests", "failures", "errors", "time", "timestamp", "hostname", "skipped", "id", "package"}
ENDINGS = {"skipped": {"message"}, "failure": {"type", "message"}, "error": {"type", "message"}}


def faults(xml: bytes) -> list[str]:
    """Give every way in which a file departs from the shape."""
    root = ET.fromstring(xml)  # noqa: S314  # our own output
    found = [] if root.tag == "testsuites" and not root.attrib else ["the root"]
    for number, suite in enumerate(root):
        found += _of_suite(number, suite)
    return found


def _of_suite(number: int, suite: ET.Element) -> Iterator[str]:
    cases = suite.findall("testcase")
    tags = ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
    if [child.tag for child in suite] != tags:
        yield f"{number}: order of elements"
    if set(suite.attrib) != SUITE or suite.get("id") != str(number):
        yield f"{number}: attributes {sorted(suite.attrib)}"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", "")):
        yield f"{number}: timestamp"
    counted = {"tests": "*", "failures": "*/failure", "errors": "*/error", "skipped": "*/skipped"}
    for name, path in counted.items():
        if int(suite.get(name, "-1")) != (len(cases) if path == "*" else len(suite.findall(path))):
            yield f"{number}: {name}"
    if len({case.get("name") for case in cases}) != len(cases):
        yield f"{number}: a name twice"
    for case in cases:
        yield from _of_case(case)


def _of_case(case: ET.Element) -> Iterator[str]:
    if set(case.attrib) != {"name", "classname", "time"} or float(case.get("time", "-1")) < 0 or not case.get("name"):
        yield f"{case.get('name')}: attributes"
    if len(case) > 1 or any(child.tag not in ENDINGS or set(child.attrib) != ENDINGS[child.tag] for child in case):
        yield f"{case.get('name')}: ending"
