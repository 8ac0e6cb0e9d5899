"""Arguments of the command `jobs`: one of its actions, and that action's options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from client.arguments import PROGRAM, Parser, parsed
from client.options import add_layout, add_outputs, add_server, count

ACTIONS = {
    "list": "the newest jobs, a line each",
    "show": "all that is known of jobs",
    "wait": "wait for jobs, and print or write their text",
    "cancel": "stop jobs; they stay until they expire",
    "rm": "remove jobs with their recordings and results",
}
_JSON = "a line of JSON a job, with all that the server says of it"
_STATUSES = ("queued", "in_progress", "completed", "failed", "cancelled")


def parsed_action(arguments: Sequence[str]) -> tuple[str, argparse.Namespace]:
    """The action, by default `list`, and its options."""
    given = list(arguments)
    action = given.pop(0) if given and given[0] in ACTIONS else "list"
    return action, parsed(action_parser(action), given)


def action_parser(action: str) -> Parser:
    """The options of an action."""
    if action == "list":
        return _list_parser()
    found = Parser(prog=f"{PROGRAM} jobs {action}", description=f"{ACTIONS[action].capitalize()}.")
    found.add_argument("files", nargs="+", metavar="ID", help="of a job, as --background prints it")
    if action == "wait":
        add_layout(found)
        add_outputs(found)
    elif action == "show":
        found.add_argument("--json-lines", action="store_true", help=_JSON)
    add_server(found)
    return found


def _list_parser() -> Parser:
    actions = "\n".join(f"  {name:8}{about}" for name, about in ACTIONS.items())
    found = Parser(
        prog=f"{PROGRAM} jobs",
        usage=f"%(prog)s [{'|'.join(ACTIONS)}] [OPTION ...] [ID ...]",
        description=f"Background jobs of a server.\n\nactions (default: list):\n{actions}",
        epilog=f"{PROGRAM} jobs ACTION --help says what an action takes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("--limit", type=count, default=20, metavar="N", help="how many jobs (default: 20)")
    add("--status", choices=_STATUSES, help="jobs of this status alone")
    add("--json-lines", action="store_true", help=_JSON)
    add_server(found)
    return found
