"""BentoCloud's file, read as BentoML reads it."""

from __future__ import annotations

import pytest
from bentoml._internal.cloud.schemas.modelschemas import DeploymentStrategy
from bentoml._internal.cloud.schemas.schemasv2 import CreateDeploymentSchema
from bentoml._internal.utils.cattr import bentoml_cattr

from api.middleware.access import access_problem
from api.settings import Settings
from tests.deploy.manifests import DEPLOY, read

VARIABLES = {name for name, _, _ in Settings.table()}


@pytest.fixture
def deployment() -> CreateDeploymentSchema:
    return bentoml_cattr.structure(read("bentocloud.yaml"), CreateDeploymentSchema)


def test_everything_in_it_is_known_to_bentoml(deployment: CreateDeploymentSchema) -> None:
    """Which leaves out what it does not know."""
    assert bentoml_cattr.unstructure(deployment) == read("bentocloud.yaml")


def test_values_are_possible(deployment: CreateDeploymentSchema) -> None:
    (service,) = deployment.services.values()

    assert service.deployment_strategy in {each.value for each in DeploymentStrategy}
    assert service.scaling is not None
    assert service.scaling.min_replicas is not None
    assert service.scaling.max_replicas is not None
    assert 0 < service.scaling.min_replicas <= service.scaling.max_replicas


def test_it_deploys_the_service_of_this_project(deployment: CreateDeploymentSchema) -> None:
    (name,) = deployment.services

    assert f'    name="{name}",\n' in (DEPLOY.parent / "service.py").read_text(encoding="utf-8")
    assert (DEPLOY.parent / deployment.bento / "bentofile.yaml").is_file()


def test_settings_let_the_server_start(deployment: CreateDeploymentSchema) -> None:
    environ = {each.name: each.value for each in deployment.envs or []}
    settings = Settings.from_environ(environ)

    assert environ.keys() <= VARIABLES
    assert access_problem(settings, settings.host) is None


def test_without_keys_of_ours_it_asks_for_tokens(deployment: CreateDeploymentSchema) -> None:
    assert deployment.access_authorization is True
