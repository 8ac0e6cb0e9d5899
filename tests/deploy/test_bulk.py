"""The Indexed Job of bulk transcription: valid, and its shards are all of the manifest."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from kubernetes_validate.utils import ValidationError

from bulk.shard import Shard
from cli.bulk_run.arguments import run_parser
from client.arguments import parsed
from tests.deploy.manifests import render_folder
from tests.deploy.schemas import check
from tests.deploy.test_kubernetes import VERSIONS


def job() -> dict[str, Any]:
    (found,) = render_folder("bulk")
    return found


def container() -> dict[str, Any]:
    (found,) = job()["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("version", VERSIONS)
def test_job_is_valid(version: str) -> None:
    check(job(), version)
    wrong = deepcopy(job())
    wrong["spec"]["completionModes"] = "Indexed"
    with pytest.raises(ValidationError):
        check(wrong, version)


def test_pods_together_do_every_row_once() -> None:
    spec = job()["spec"]
    assert (spec["completionMode"], spec["parallelism"] <= spec["completions"]) == ("Indexed", True)
    shards = [shard_of(index) for index in range(spec["completions"])]
    ids = [str(number) for number in range(1000)]
    taken = [each for shard in shards for each in ids if shard.has(each)]
    assert sorted(taken) == sorted(ids)


def shard_of(index: int) -> Shard:
    """That of the pod of this index, as Kubernetes fills it in."""
    args = [each.replace("$(JOB_COMPLETION_INDEX)", str(index)) for each in container()["args"]]
    found: Shard = parsed(run_parser(), args).shard
    return found


def test_it_is_the_command_and_what_it_writes_is_on_volumes() -> None:
    found = container()
    assert found["command"] == ["whisper-bento", "bulk", "run"]
    assert {mount["mountPath"] for mount in found["volumeMounts"]} == {"/data", "/tmp"}
    assert found["securityContext"]["readOnlyRootFilesystem"] is True
