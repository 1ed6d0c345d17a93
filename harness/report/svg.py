"""Drawings as inline SVG: no style attributes, ids of their own, a title and a description."""

import io
import re
import warnings
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import matplotlib as mpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

# Colours are drawn as these and shown as the page's own, in light and in dark: each has a CSS class.
INK, MUTED, GRID, PAPER = "#1b1f24", "#5c6670", "#d5dae0", "#fdfdfe"
REFERENCE, CANDIDATE = "#0b5fa8", "#c2500a"
GOOD, BAD, WARN, ZONE = "#17703c", "#b42318", "#8a5a00", "#f3d9d6"
_CLASSES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    REFERENCE: "ref",
    CANDIDATE: "cand",
    GOOD: "good",
    BAD: "bad",
    WARN: "warn",
    ZONE: "zone",
}
_RC: "Final[Mapping[RcKeyType, Any]]" = {"svg.fonttype": "none", "svg.hashsalt": "bench"}
_UNKNOWN_GLYPH = "Glyph .* missing from font"  # harmless: the page's own font draws the text
_DROPPED = {"font-family", "font", "stroke-linejoin", "stroke-linecap", "stroke-miterlimit"}
_REFERENCE_TO_ID = re.compile(r"url\(#([^)]+)\)")


def draw(figure: "Figure", name: str, title: str, description: str) -> str:
    """Write a figure as an SVG element that a page may inline."""
    out = io.BytesIO()
    with mpl.rc_context(dict(_RC)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=_UNKNOWN_GLYPH)
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ET.fromstring(out.getvalue())  # noqa: S314 - our own drawing
    for element in root.iter():
        _tidy(element, name)
    _name(root, name, title, description)
    return ET.tostring(root, encoding="unicode")


def _tidy(element: ET.Element, name: str) -> None:
    """Drop namespaces and style attributes; make ids the figure's own."""
    element.tag = _local(element.tag)
    attributes = dict(element.attrib)
    element.attrib.clear()
    for declaration in attributes.pop("style", "").split(";"):
        key, _, value = declaration.partition(":")
        if key.strip() and key.strip() not in _DROPPED:
            attributes[key.strip()] = value.strip()
    for key, value in attributes.items():
        element.set(_local(key), _own(_local(key), value, name))
    _classify(element)
    for child in list(element):
        if _local(child.tag) in {"metadata", "style"}:
            element.remove(child)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _own(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == "href" and value.startswith("#"):
        return f"#{name}-{value[1:]}"
    return _REFERENCE_TO_ID.sub(rf"url(#{name}-\1)", value)


def _classify(element: ET.Element) -> None:
    """Give known colours the class by which the page recolours them."""
    classes = [
        f"{prefix}-{_CLASSES[element.get(key, '')]}"
        for key, prefix in (("fill", "f"), ("stroke", "s"))
        if element.get(key, "") in _CLASSES
    ]
    if element.tag == "text" and element.get("fill") is None:
        classes.append("f-ink")
    if classes:
        element.set("class", " ".join(classes))


def _name(root: ET.Element, name: str, title: str, description: str) -> None:
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(position, element)
