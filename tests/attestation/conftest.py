from __future__ import annotations

import json
from pathlib import Path

import pytest

from attestation.instance import Instance
from czscie.attestation.provenance import Verifiers
from network.conftest import cache, server

__all__ = ["cache", "server"]


@pytest.fixture(scope="session")
def instance() -> Instance:
    return Instance()


@pytest.fixture(scope="session")
def trusted_root(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("root") / "trusted_root.json"
    path.write_text(json.dumps(instance.trusted_root()))
    return path


@pytest.fixture(scope="session")
def verifiers(trusted_root: Path) -> Verifiers:
    return Verifiers(trusted_root, offline=True)
