"""A patch of pip that replaces sources by wheels. Runs in pip's process, beside pex's patches: pip 20.3 to
26, Python 3.8 and newer.

pip would run a source's build backend for its metadata, again for each platform, with the whole environment.
Instead it gets the wheel that czscie built from the source. If there is none yet, pip writes down the source
and exits.
"""

import functools
import json
import os

#: Exit status of a pip that met a source.
STATUS = 97


def patch():
    """Runs before pip is imported. PIP_ONLY_BINARY keeps an unpatched pip from using sources."""
    with open(os.environ.pop("CZSCIE_GUARD"), encoding="utf-8") as file:
        guard = json.load(file)
    os.environ.pop("PIP_ONLY_BINARY")
    if guard["only_binary"] is not None:
        os.environ["PIP_ONLY_BINARY"] = guard["only_binary"]

    from pip._internal.models.format_control import FormatControl
    from pip._internal.models.link import Link
    from pip._internal.resolution.resolvelib.factory import Factory
    from pip._vendor.packaging.utils import canonicalize_name

    formats = FormatControl.get_allowed_formats

    @functools.wraps(formats)
    def get_allowed_formats(self, canonical_name):
        allowed = guard["allowed"]
        found = formats(self, canonical_name)
        if allowed is None or canonicalize_name(canonical_name) in allowed:
            return found
        return found - {"source"}

    def guarded(make):
        @functools.wraps(make)
        def made(self, link, *arguments, **named):
            if not link.is_wheel:
                wheel = guard["wheels"].get(link.url_without_fragment)
                if wheel is None:
                    _end(guard["found"], link, named.get("template"), named.get("version"))
                link = Link(wheel)
            return make(self, link, *arguments, **named)

        return made

    FormatControl.get_allowed_formats = get_allowed_formats
    name = "_make_base_candidate_from_link"  # pip 24.1 and later
    if not hasattr(Factory, name):
        name = "_make_candidate_from_link"
    setattr(Factory, name, guarded(getattr(Factory, name)))


def _end(path, link, template, version):
    source = {
        "url": link.url_without_fragment,
        "sha256": link.hash if link.hash_name == "sha256" else None,
        "project": getattr(template, "name", None),
        "version": None if version is None else str(version),
    }
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(source, file)
    os.replace(temporary, path)
    os._exit(STATUS)
