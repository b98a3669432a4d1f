# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when it is started for the first time.
"""Versions and specifiers, as far as choosing wheels needs them (PEP 440)."""

import re

_VERSION = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_number>\d*))?"
    r"(?:-(?P<implicit_post>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_number>\d*))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_number>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$",
    re.IGNORECASE | getattr(re, "ASCII", 0),  # Python 2 has no other
)

_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}


class Version(object):
    """A version; `key` orders it without its local part."""

    def __init__(self, text):
        # type: (str) -> None
        """Raises ValueError when `text` is not a version."""
        match = _VERSION.match(text.strip())
        if match is None:
            raise ValueError("%r is not a version" % text)
        self.epoch = int(match.group("epoch") or 0)
        self.release = tuple(int(part) for part in match.group("release").split("."))
        self.pre = None
        if match.group("pre"):
            name = match.group("pre").lower()
            self.pre = (_PRE.get(name, name), int(match.group("pre_number") or 0))
        self.post = None
        if match.group("implicit_post"):
            self.post = int(match.group("implicit_post"))
        elif match.group("post"):
            self.post = int(match.group("post_number") or 0)
        self.dev = int(match.group("dev_number") or 0) if match.group("dev") else None
        local = re.split("[-_.]", (match.group("local") or "").lower())
        self.local = tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in local if part)
        self.key = self._key()

    def _key(self):
        # type: () -> tuple[object, ...]
        release = list(self.release)
        while len(release) > 1 and release[-1] == 0:
            release.pop()
        # What is missing sorts before (a development release) or after (a final one) what is there.
        if self.pre is not None:
            pre = (1,) + self.pre  # type: tuple[object, ...]
        elif self.dev is not None and self.post is None:
            pre = (0,)
        else:
            pre = (2,)
        post = -1 if self.post is None else self.post
        dev = (1, 0) if self.dev is None else (0, self.dev)
        return (self.epoch, tuple(release), pre, post, dev)

    @property
    def is_prerelease(self):
        # type: () -> bool
        return self.pre is not None or self.dev is not None

    def starts_with(self, prefix):
        # type: (Version) -> bool
        """Whether this is a version of the series `prefix.*`."""
        length = len(prefix.release)
        own = self.release + (0,) * (length - len(self.release))
        return self.epoch == prefix.epoch and own[:length] == prefix.release


def is_specifier(operator, wanted):
    # type: (str, str) -> bool
    """Whether `wanted` is valid after `operator`: not every version is."""
    if operator == "===":
        return True
    series = wanted.endswith(".*")
    try:
        version = Version(wanted[:-2] if series else wanted)
    except ValueError:
        return False
    if operator in ("==", "!="):
        return not (series and (version.is_prerelease or version.post is not None or version.local))
    if series or version.local:
        return False
    return operator in ("<=", ">=", "<", ">") or (operator == "~=" and len(version.release) > 1)


def accepts(specifiers, version):
    # type: (list[list[str]], str) -> bool
    """Whether `version` satisfies all `specifiers`, pairs of operator and version.

    Raises ValueError on an invalid version or operator. Pre-releases are allowed.
    """
    return all(_accepts(operator, wanted, version) for operator, wanted in specifiers)


def _accepts(operator, wanted, text):
    # type: (str, str, str) -> bool
    if operator == "===":
        return text.lower() == wanted.lower()
    version = Version(text)
    if wanted.endswith(".*"):
        same = version.starts_with(Version(wanted[:-2]))
        if operator == "==":
            return same
        if operator == "!=":
            return not same
        # `>=3.6.*` was valid once; what it means is `>=3.6`.
        wanted = wanted[:-2]
    other = Version(wanted)
    if operator in ("==", "!="):
        same = version.key == other.key and (not other.local or version.local == other.local)
        return same is (operator == "==")
    if operator == "<=":
        return version.key <= other.key
    if operator == ">=":
        return version.key >= other.key
    if operator == "<":
        # No pre-release of the very version that is named, unless it is one.
        return version.key < (other if other.is_prerelease else Version(wanted.strip() + ".dev0")).key
    if operator == ">":
        same_release = version.key[:2] == other.key[:2]
        # No post-release of the very version that is named.
        of_that = version.post is not None and (other.post, other.dev, other.pre) == (None, None, version.pre)
        return version.key > other.key and not (of_that and same_release)
    if operator == "~=":
        series = Version(".".join(str(part) for part in other.release[:-1]))
        series.epoch = other.epoch
        return version.key >= other.key and version.starts_with(series)
    raise ValueError("%r is not an operator" % operator)
