from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.network.network import Network, Patience


def test_without_settings_there_is_patience_and_a_network() -> None:
    network = Network.of({})
    assert (network.patience, network.offline, network.directories) == (Patience(), False, ())


@pytest.mark.parametrize(
    ("value", "offline"),
    [("1", True), ("yes", True), ("", False), ("0", False), ("False", False), ("no", False)],
)
def test_offline_is_anything_but_no(value: str, offline: bool) -> None:
    assert Network.of({"CZSCIE_OFFLINE": value}).offline is offline


def test_the_option_wins_over_the_environment_which_stays() -> None:
    environ = {"CZSCIE_OFFLINE": "0"}
    assert Network.of(environ, offline=True).offline
    assert Network.of({"CZSCIE_OFFLINE": "1"}, offline=False).offline
    assert environ == {"CZSCIE_OFFLINE": "0"}


def test_times_can_be_set() -> None:
    network = Network.of({"CZSCIE_NET_TIMEOUT": "2.5", "CZSCIE_NET_DEADLINE": "90"}, [Path("wheels")])
    assert network.patience == Patience(connect=2.5, read=2.5, deadline=90)
    assert network.directories == (Path("wheels"),)
    assert Network.of({"CZSCIE_NET_TIMEOUT": "120"}).patience == Patience(connect=15, read=120)


@pytest.mark.parametrize("variable", ["CZSCIE_NET_TIMEOUT", "CZSCIE_NET_DEADLINE"])
@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf"])
def test_what_is_no_time_is_refused(variable: str, value: str) -> None:
    with pytest.raises(CzscieError) as caught:
        Network.of({variable: value})
    assert str(caught.value) == (
        f"error: {variable} is {value!r}, which is not a number of seconds\nhint: set {variable}=60"
    )
