"""docs/compatibility.md says what the tests over the wire hold."""

from __future__ import annotations

import ast
from pathlib import Path

from scripts.compatibility import PAGE, page
from tests.wire.promises import Promise, promised

WIRE = Path(__file__).parent.parent / "wire"


def test_page_is_what_the_tests_promise() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(promised()), "python -m scripts.compatibility"


def test_page_rows() -> None:
    text = page(
        [
            Promise("Models", "a"),
            Promise("Models", "a"),
            Promise("Models", "b", "extension"),
            Promise("Errors", "c", "differs", "so it is"),
        ]
    )

    assert text.count("| a | *same as hosted* |") == 1
    assert "| b | *extension* |" in text
    assert "| c | *differs*, because: so it is |" in text


def test_every_test_over_the_wire_promises_something() -> None:
    silent = [
        f"{path.name}: {node.name}"
        for path in sorted(WIRE.glob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if "promises" not in " ".join(map(ast.unparse, node.decorator_list))
    ]

    assert silent == []


def test_there_are_a_hundred_promises() -> None:
    assert len(set(promised())) >= 100
