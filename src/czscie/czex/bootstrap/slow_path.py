# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when the CZEX is not installed for it yet
# or when settings affect what is started.
"""The start of a CZEX when the short one in `__main__` is not enough."""

import json
import os
import sys
import zipimport

from . import choice, installation, settings
from .layout import CacheLayout
from .request import Request
from .resolve import Resolution, unmet_constraints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def start(czex, main):
    # type: (str, Any) -> None
    """Executes the application; `main` is the module `__main__` of the CZEX."""
    if os.environ.get(main.CHOSEN) == "probe":
        sys.stdout.write(json.dumps(judge(czex)))
        sys.exit(0)
    root = prepare(czex, main, may_choose=True)
    main.hold(os.path.dirname(os.path.dirname(root)))
    if not os.path.exists(root):  # removed before it was held
        root = prepare(czex, main, may_choose=False)
    _pass_path_on(czex)
    main.execute(root, czex, [])
    settings.fail(czex, "%s/bin/python cannot be started" % root)


def mount(czex, main):
    # type: (str, Any) -> str
    """Puts the installation's packages first on sys.path."""
    root = prepare(czex, main, may_choose=False)
    packages = root + "/" + CacheLayout(False, False).site_packages
    if packages not in sys.path:
        import site

        sys.path.insert(0, packages)
        site.addsitedir(packages)
    return packages


def prepare(czex, main, may_choose):
    # type: (str, Any, bool) -> str
    """The installation of the CZEX for this interpreter. May execute another interpreter that fits."""
    settings.apply(czex, main)
    catalogue = read_catalogue(czex)
    others = [(path, _read_other(czex, path)) for path in settings.pex_path(catalogue)]
    chosen = os.environ.pop(main.CHOSEN, None)
    if may_choose and chosen != "asked":
        own = judge(czex)
        if chosen != "remembered" or own["reason"]:
            found = choice.choose(czex, main, catalogue, own, may_recall=not chosen)
            if found is not None:
                python, os.environ[main.CHOSEN] = found
                sys.stdout.flush()
                os.execv(python, [python] + main.own_arguments() + [czex] + sys.argv[1:])
    tolerant = settings.is_set("PEX_IGNORE_ERRORS", catalogue["settings"]["ignore_errors"])
    more = ["%s %d %r" % (path, os.stat(path).st_size, os.stat(path).st_mtime) for path, _ in others]
    name = main.key(more + (["tolerant"] if tolerant else []))

    def request():
        # type: () -> Request
        made = Request(
            CacheLayout(
                catalogue["settings"]["venv_copies"], catalogue["settings"]["venv_system_site_packages"]
            ),
            catalogue["settings"]["venv_hermetic_scripts"],
        )
        for path, each in [(czex, catalogue)] + others:
            resolution = Resolution(each)
            if resolution.missing and not tolerant:
                settings.fail(
                    path,
                    "it lacks requirements of %s:\n  %s" % (describe(), "\n  ".join(resolution.missing)),
                )
            made.add(path, each, resolution.wheels, with_start=path is czex)
        if settings.warns(catalogue):
            for collision in made.collisions:
                sys.stderr.write("%s: warning: %s\n" % (os.path.basename(czex), collision))
        return made

    return installation.ensure(czex, main, catalogue, name, request)


def _pass_path_on(czex):
    # type: (str) -> None
    """Passes the rest of this Python's path to the application, if a setting says so."""
    catalogue = read_catalogue(czex)
    built = "false" if catalogue["settings"]["venv"] else catalogue["settings"]["inherit_path"]
    where = os.environ.get("PEX_INHERIT_PATH", built).lower()
    if where == "false":
        return
    if where not in ("prefer", "fallback"):
        settings.fail(czex, "PEX_INHERIT_PATH must be one of false, prefer and fallback, found %r" % where)
    library = os.path.dirname(os.path.realpath(os.__file__))
    inherited = []
    for path in sys.path:
        real = os.path.realpath(path) if path else ""
        packages = "site-packages" in real or "dist-packages" in real
        standard = (real + os.sep).startswith(library + os.sep) and not packages
        if path and real != os.path.realpath(czex) and not standard and not real.endswith(".zip"):
            inherited.append(path)
    os.environ["__CZSCIE_INHERIT_PATH__"] = os.pathsep.join([where] + inherited)


def judge(czex):
    # type: (str) -> dict
    """The interpreter's version, and why it does not fit, if it does not."""
    catalogue = read_catalogue(czex)
    reason = unmet_constraints(catalogue["constraints"])
    if not reason and not settings.is_set("PEX_IGNORE_ERRORS", catalogue["settings"]["ignore_errors"]):
        missing = Resolution(catalogue).missing
        if missing:
            reason = "it lacks " + "; ".join(line.strip() for line in missing)
    return {"python": describe(), "version": list(sys.version_info[:3]), "reason": reason}


def describe():
    # type: () -> str
    name = "PyPy" if hasattr(sys, "pypy_version_info") else "CPython"
    return "%s %s" % (name, ".".join(str(number) for number in sys.version_info[:3]))


def read_catalogue(czex):
    # type: (str) -> dict
    data = zipimport.zipimporter(czex).get_data(os.path.join(czex, ".czscie/catalogue"))
    return json.loads(data.decode("utf-8"))  # type: ignore[no-any-return]


def _read_other(czex, path):
    # type: (str, str) -> dict
    try:
        return read_catalogue(path)
    except (IOError, OSError, ImportError) as error:
        settings.fail(
            czex,
            "%s, which PEX_PATH or its PEX-INFO names, is not a CZEX: %s\n"
            "hint: convert it: czscie inject %s" % (path, error, path),
        )
        raise
