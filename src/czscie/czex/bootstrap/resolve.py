# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when it is started for the first time.
"""The wheels of a CZEX that this interpreter needs, chosen as pex chooses (`pex/environment.py`)."""

import sys

from . import markers
from .tags import is_pypy, supported_tags
from .versions import accepts


def unmet_constraints(constraints):
    # type: (list[dict]) -> str
    """Why this interpreter does not meet the PEX's constraints, or the empty string."""
    if not constraints or any(_meets(constraint) for constraint in constraints):
        return ""
    texts = [constraint["text"] for constraint in constraints]
    return "the PEX requires one of: %s" % ", ".join(texts)


def _meets(constraint):
    # type: (dict) -> bool
    implementation = constraint.get("implementation")
    if implementation is not None and (implementation == "PyPy") is not is_pypy():
        return False
    free_threaded = "t" in getattr(sys, "abiflags", "")
    if constraint.get("free_threaded", free_threaded) is not free_threaded:
        return False
    return accepts(constraint["python"], markers.python_version())


class Resolution(object):
    """The `wheels` of a catalogue, in the order in which they are found; `missing` are lines about the
    others.
    """

    def __init__(self, catalogue):
        # type: (dict) -> None
        self.wheels = []  # type: list[dict]
        self.missing = []  # type: list[str]
        self._catalogue = catalogue
        self._variables = markers.environment()
        self._unusable = {}  # type: dict[int, str]
        self._ranks = self._rank_all()
        self._roots = {}  # type: dict[str, dict]
        self._chosen = {}  # type: dict[str, dict]
        self._visited = {}  # type: dict[str, list[frozenset]]
        self._start()

    def _rank_all(self):
        # type: () -> dict[int, int]
        """The place of each usable wheel's best tag among those supported."""
        order = {}  # type: dict[tuple, int]
        for rank, tag in enumerate(supported_tags()):
            order.setdefault(tag, rank)
        version = markers.python_version()
        ranks = {}
        for number, wheel in enumerate(self._catalogue["wheels"]):
            found = [order[tag] for tag in map(tuple, wheel["tags"]) if tag in order]
            if not found:
                self._unusable[number] = "it is not for this interpreter or platform"
            elif wheel["python"] and not accepts(wheel["python"], version):
                wanted = ",".join("".join(each) for each in wheel["python"])
                self._unusable[number] = "it needs Python %s" % wanted
            else:
                ranks[number] = min(found)
        return ranks

    def _start(self):
        # type: () -> None
        """Chooses for the PEX's own requirements, those of one project together, then visits what follows."""
        projects = []  # type: list[str]
        requirements = {}  # type: dict[str, list[dict]]
        for edge in self._catalogue["requirements"]:
            if self._applies(edge):
                if edge["project"] not in requirements:
                    projects.append(edge["project"])
                requirements.setdefault(edge["project"], []).append(edge)
        for project in projects:
            best = self._best(requirements[project])
            if best is None:
                for edge in requirements[project]:
                    self._miss(edge, None)
            else:
                self._roots[project] = best
        for project in projects:
            if project in self._roots:
                wheel = self._roots[project]
                self._choose(project, wheel)
                # Whichever requirement the wheel was chosen for, it gets the extras of all.
                extras = [extra for edge in requirements[project] for extra in edge.get("extras", ())]
                self._follow(wheel, frozenset(extras))

    def _choose(self, project, wheel):
        # type: (str, dict) -> None
        if project not in self._chosen:
            self._chosen[project] = wheel
            self.wheels.append(wheel)

    def _follow(self, wheel, extras):
        # type: (dict, frozenset) -> None
        visited = self._visited.setdefault(wheel["project"], [])
        if any(extras <= earlier for earlier in visited):
            return
        visited.append(extras)
        for original in wheel["requirements"]:
            edge = self._replaced(original)
            if edge.get("excluded"):
                continue
            if self._applies(edge, sorted(extras)):
                self._visit(edge, wheel)

    def _replaced(self, edge):
        # type: (dict) -> dict
        """The replacement of a requirement on this host, or the requirement itself."""
        instead = [each for each in edge.get("instead", ()) if self._applies(each)]
        if len(instead) > 1:
            texts = ", ".join(each["text"] for each in instead)
            self.missing.append("%s is overridden in more than one way: %s" % (edge["text"], texts))
        return instead[0] if instead else edge

    def _applies(self, edge, extras=()):
        # type: (dict, list[str] | tuple[()]) -> bool
        try:
            return markers.holds(edge.get("marker"), list(extras), self._variables)
        except markers.Undefined as error:
            line = "%s: its marker cannot be evaluated: %s" % (edge["text"], error)
            if line not in self.missing:
                self.missing.append(line)
            return False

    def _visit(self, edge, required_by):
        # type: (dict, dict) -> None
        project = edge["project"]
        wheel = self._chosen.get(project) or self._roots.get(project) or self._best([edge])
        if wheel is None:
            self._miss(edge, required_by)
            return
        self._choose(project, wheel)
        self._follow(wheel, frozenset(edge.get("extras", ())))

    def _best(self, edges):
        # type: (list[dict]) -> dict | None
        """The most preferred wheel that meets any of the requirements; the catalogue has the newest first."""
        numbers = sorted({number for edge in edges for number in edge["wheels"] if number in self._ranks})
        if not numbers:
            return None
        return self._catalogue["wheels"][min(numbers, key=lambda number: self._ranks[number])]  # type: ignore[no-any-return]

    def _miss(self, edge, required_by):
        # type: (dict, dict | None) -> None
        text = edge["text"]
        if required_by is not None:
            text += ", required by %s %s" % (required_by["project"], required_by["version"])
        held = [
            "%s: %s" % (wheel["filename"], self._unusable.get(number) or "does not meet the requirement")
            for number, wheel in enumerate(self._catalogue["wheels"])
            if wheel["project"] == edge["project"]
        ]
        if held:
            lines = [text + "; there is only:"] + ["  " + line for line in held]
        else:
            lines = [text + "; there is no wheel of that project"]
        if lines[0] not in self.missing:
            self.missing += lines
