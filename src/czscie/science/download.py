"""Downloads interpreters into a mirror, from which builds without a network take them."""

from __future__ import annotations

from collections.abc import Sequence

from czscie.errors import CzscieError
from czscie.network.fetch import fetch
from czscie.platforms import Platform
from czscie.science.mirror import Mirror, Wanted
from czscie.session import Session


def download_interpreters(
    wanted: Sequence[Wanted],
    platforms: Sequence[Platform],
    mirror: Mirror[Wanted],
    session: Session,
    *,
    all_needed: bool,
) -> None:
    """Adds the archives of `wanted` for `platforms` to `mirror`.

    Without `all_needed`, platforms for which there is none are skipped with a warning. Raises CzscieError.
    """
    for interpreter in wanted:
        for platform in platforms:
            try:
                source = session.provider.resolve(interpreter, platform)
            except CzscieError as error:
                if all_needed:
                    raise
                session.console.warn(f"{error.what}: skipped")
                continue
            assert source.remote is not None  # the provider's are published
            [archive] = fetch([source.remote], session.network, session.console)
            mirror.add(interpreter, source, archive)
