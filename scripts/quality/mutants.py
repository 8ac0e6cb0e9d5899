"""Mutants of a module: its source with one operator, constant, condition or call changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path

# What each operator becomes.
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Add,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_OTHER_CALL = {"min": "max", "max": "min", "any": "all", "all": "any"}
# Their text is no behaviour, or their positions are not those of the source (inside f-strings).
_LEFT_OUT = (ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Mutant:
    """One change: bytes `start` to `end` of the file at `path` become `text`."""

    path: Path
    line: int
    start: int
    end: int
    before: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.text}"

    @property
    def source(self) -> bytes:
        """The whole changed source."""
        whole = self.path.read_bytes()
        return whole[: self.start] + self.text.encode() + whole[self.end :]


def mutants(path: Path) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, text in _changes_below(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        before = " ".join(source[start:end].decode().split())
        found.append(Mutant(path, node.lineno, start, end, before, text))
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end, mutant.text))


def _changes_below(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for test in _conditions(node):
        yield test, f"(not {ast.unparse(test)})"
    for child in _children(node):
        if isinstance(child, (ast.expr, ast.stmt)):
            for text in _changes(child):
                yield child, text
        yield from _changes_below(child)


def _conditions(node: ast.AST) -> list[ast.expr]:
    """What a node branches on, but for comparisons, which have an opposite of their own."""
    tests: list[ast.expr] = []
    if isinstance(node, (ast.If, ast.While)):
        tests = [node.test]
    elif isinstance(node, ast.comprehension):
        tests = node.ifs
    return [test for test in tests if not isinstance(test, (ast.Compare, ast.UnaryOp))]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What is run below a node: no annotation, decorator, text or internal guarantee."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, _LEFT_OUT):
                yield child


def _changes(node: ast.expr | ast.stmt) -> Iterator[str]:
    """The texts that may stand in place of a node."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _SWAPS:
            yield _with(node, ops=[_SWAPS[type(operator)]()])
        case ast.BoolOp(op=operator) | ast.BinOp(op=operator) if type(operator) in _SWAPS:
            yield _with(node, op=_SWAPS[type(operator)]())
        case ast.AugAssign(op=operator) if type(operator) in _SWAPS:
            yield _with(node, op=_SWAPS[type(operator)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.Constant(value=bool(value)):
            yield repr(not value)
        case ast.Constant(value=int(value)):
            yield repr(value + 1)
        case ast.Constant(value=float(value)):
            yield repr(value * 1.5 or 1.0)
        case ast.Call(func=ast.Name(id=name)) if name in _OTHER_CALL:
            yield _with(node, func=ast.Name(_OTHER_CALL[name]))
        case ast.IfExp(body=body, orelse=orelse):
            yield _with(node, body=orelse, orelse=body)
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Break():
            yield "pass"
        case ast.Continue():
            yield "break"


def _with(node: ast.expr | ast.stmt, **fields: object) -> str:
    new = copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    text = ast.unparse(ast.fix_missing_locations(new))
    return text if isinstance(node, ast.stmt) else f"({text})"
