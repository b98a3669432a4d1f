"""The boot commands of a scie: the payload's own, and those of the lift manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from czscie.container.manifest import FILES, PAYLOAD, Boot, Command, Place
from czscie.czex.info import PexInfo
from czscie.czex.start import HERMETIC_REMOVED
from czscie.czex.write import InstalledInterpreter
from czscie.errors import Code, CzscieError
from czscie.filesystem import file_digest
from czscie.lift.command import Command as LiftCommand
from czscie.lift.command import Environment
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.lift import Lift
from czscie.lift.payload import Payload
from czscie.lift.problem import nearest
from czscie.pbs.prune import TERMINFO
from czscie.scie import template
from czscie.scie.expansion import Expansion, named_files
from czscie.scie.regular_expression import ExpressionError, check_expression

#: Placeholders whose values the launcher has (native/src/command.zig); these are all that a base can have.
_HOST = frozenset({"scie", "scie.argv0", "scie.platform", "scie.platform.os", "scie.platform.arch"})
_LAUNCHERS = _HOST | {"scie.base", "scie.lift", "scie.jump", "scie.bindings"}
_ENVIRONMENT, _BINDING, _CACHE = template.OPTIONAL
_BY_FILE = "scie.files."
_HASH = "scie.files:hash."
_KNOWN = (
    "{scie}, {scie.argv0}, {scie.base}, {scie.lift}, {scie.jump}, {scie.platform}, {scie.platform.os}, "
    "{scie.platform.arch}, {scie.env.NAME=DEFAULT}, {scie.user.cache_dir=DEFAULT}, {scie.files.NAME}, "
    "{scie.files:hash.NAME}, {scie.bindings}, {scie.bindings.NAME:KEY=DEFAULT}, {payload} "
    "and the ids of interpreters and files"
)
_KNOWN_IN_BASE = (
    "{scie}, {scie.argv0}, {scie.platform}, {scie.platform.os}, {scie.platform.arch}, "
    "{scie.env.NAME=DEFAULT} and {scie.user.cache_dir=DEFAULT} in a base"
)

#: The bindings that run one within the other at most (native/src/boot.zig).
_CHAIN = 8
#: Stands for a digest where commands are only checked.
_UNKNOWN = "0" * 64
#: Changes of an environment, as the manifest has them.
Variables = Mapping[str, "str | None"]

#: The directories in which ncurses looks by itself, as Debian and python-build-standalone build it.
_TERMINFO = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo")
_OF_TERMINFO_DIRS = {"TERMINFO_DIRS", "=TERMINFO_DIRS"}


def boot(
    lift: Lift,
    info: PexInfo | None,
    interpreters: Mapping[str, InstalledInterpreter],
    with_terminfo: Collection[str] = (),
    files: Mapping[str, Path] | None = None,
    scripts: Mapping[str, str] | None = None,
    lazy: Mapping[str, str] | None = None,
) -> Boot:
    """The commands of `lift`. `info` is that of its payload; `interpreters` go by their ids, and `files` are
    where the lift's files are, by their names.

    `with_terminfo` are the ids of those that bring descriptions of terminals along. `scripts` are those of
    the payload by their names, each with its entry point, or "" for a file. `lazy` are the places of what the
    executable does not contain, and of the fetcher, by ids. Raises CzscieError for what the
    launcher would not support.
    """
    expansion = Expansion(
        {identifier: named_files(each) for identifier, each in interpreters.items()}, lift.interpreter_groups
    )
    terminals = {
        identifier: _terminal_environment(identifier, interpreters[identifier])
        for identifier in with_terminfo
    }
    sources = {identifier: each.source or "" for identifier, each in interpreters.items()}
    made = _translated(lift, expansion, terminals, _Hashes(lift, files, sources), lazy or {})
    if info is not None and lift.payload is not None:
        identifier = lift.payload.interpreter
        environment = terminals.get(identifier, {})
        start = _payload_command(info, interpreters[identifier], environment, lift)
        commands = dict(_payload_commands(start, lift.payload, scripts or {}))
        _check_names(lift, commands)
        by_name = lift.payload.scripts is not None
        made = msgspec.structs.replace(made, commands={**commands, **made.commands}, by_name=by_name)
    return made


def check_commands(lift: Lift) -> None:
    """Raises CzscieError for commands of `lift` that `boot` would reject, before anything is built."""
    # An interpreter for Windows has no script of pip.
    missing = {"pip"} if any(platform.os == "windows" for platform in lift.platforms) else set[str]()
    files = {each.id: {name: name for name in {*each.FILES} - missing} for each in lift.interpreters}
    _translated(lift, Expansion(files, lift.interpreter_groups), {}, _Hashes(lift))


def _translated(
    lift: Lift,
    expansion: Expansion,
    terminals: Mapping[str, Variables],
    hashes: _Hashes,
    lazy: Mapping[str, str] | None = None,
) -> Boot:
    """The commands and bindings of the lift itself, without the payload's command."""
    names: set[str] = set()
    needs: dict[str, set[str]] = {}

    def translate(command: LiftCommand, is_binding: bool = False) -> Command:
        translation = _Translation(command.key, lift, terminals, hashes, lazy=lazy or {})
        made = translation.command(expansion.command(command))
        names.update(translation.computed)
        if is_binding:
            needs[command.name] = translation.bindings
        return made

    commands = {command.name: translate(command) for command in lift.commands}
    bindings = {binding.name: translate(binding, True) for binding in lift.bindings}
    _check_base(lift, hashes)
    _check_chains(lift, needs)
    return Boot(
        commands,
        bindings,
        load_dotenv=lift.load_dotenv,
        quiet=lift.quiet,
        names=_places(lift, lazy or {}) if _BY_FILE in names else {},
        hashes=hashes.all() if _HASH in names else {},
        urls=_urls(lift, hashes),
    )


def _urls(lift: Lift, hashes: _Hashes) -> str | None:
    """Where the launcher looks for other URLs of lazy parts; the manifest itself has none."""
    if lift.ptex is None or lift.ptex.argv1 == "{scie.lift}" or lift.ptex_id is None:
        return None
    return _Translation(f"{lift.key}.ptex.argv1", lift, {}, hashes).text(lift.ptex.argv1, "")


def _places(lift: Lift, lazy: Collection[str]) -> dict[str, Place]:
    """Where each file is, by its name and its key."""
    return {
        called: Place(file.id if file.id in lazy else FILES, file.name)
        for file in lift.files
        for called in (file.name, file.key)
        if called is not None
    }


def _check_base(lift: Lift, hashes: _Hashes) -> None:
    if lift.base is not None:
        key = f"{lift.key}.base"
        _Translation(key, lift, {}, hashes, launchers=_HOST).text(lift.base, "")


def _check_chains(lift: Lift, needs: Mapping[str, Collection[str]]) -> None:
    """Raises CzscieError for a binding that needs itself, directly or by others, or too many of them."""
    lengths: dict[str, int] = {}

    def refused(name: str, what: str, chain: Sequence[str]) -> CzscieError:
        key = next(binding.key for binding in lift.bindings if binding.name == name)
        why = " -> ".join(chain)
        return CzscieError(f"{key}: the binding {name} needs {what}", code=Code.PLACEHOLDER, why=why)

    def length(name: str, path: tuple[str, ...]) -> int:
        """The length of the longest chain of bindings that begins with this one."""
        chain = (*path, name)
        if name in path:
            raise refused(name, "itself", chain[path.index(name) :])
        if name not in lengths and len(path) < _CHAIN:
            lengths[name] = 1 + max((length(other, chain) for other in sorted(needs[name])), default=0)
        if len(path) + lengths.get(name, 1) > _CHAIN:
            raise refused(chain[0], f"more than {_CHAIN - 1} others in a chain", chain)
        return lengths[name]

    for name in needs:
        length(name, ())


def _terminal_environment(identifier: str, interpreter: InstalledInterpreter) -> dict[str, str | None]:
    """Lets ncurses find the interpreter's descriptions of terminals behind the system's own."""
    own = f"{{{identifier}}}/{interpreter.layout.below_root(TERMINFO)}"
    return {"TERMINFO_DIRS": ":".join((*_TERMINFO, own))}


def _payload_command(
    info: PexInfo, interpreter: InstalledInterpreter, environment: Mapping[str, str | None], lift: Lift
) -> Command:
    """Starts the virtual environment's Python, without the user's site directory, on its `__main__.py`."""
    root = f"{{{PAYLOAD}}}"
    removed = {f"={name}": None for name in HERMETIC_REMOVED}
    python = interpreter.windowed_python if lift.windowed else interpreter.python
    return Command(
        exe=f"{root}/{python}",
        args=("-s", *map(template.escaped, info.inject_python_args), f"{root}/__main__.py"),
        env={**removed, **environment, "=VIRTUAL_ENV": root, "=PEX": "{scie}"},
        description=lift.description,
    )


class _Hashes:
    """The SHA-256 of the lift's files, by names and keys, and of its interpreters' archives, by ids.

    Without `files` and `interpreters`, those that are not known yet are zeros.
    """

    def __init__(
        self,
        lift: Lift,
        files: Mapping[str, Path] | None = None,
        interpreters: Mapping[str, str] | None = None,
    ) -> None:
        self._lift = lift
        self._files = files
        self._interpreters = interpreters

    def find(self, name: str) -> str | None:
        """None for a directory, and for a name that is neither."""
        for file in self._lift.files:
            if name in (file.name, file.key):
                return None if file.kind == "directory" else self._of_file(file)
        if name not in (each.id for each in self._lift.interpreters):
            return None
        return _UNKNOWN if self._interpreters is None else self._interpreters[name]

    def all(self) -> dict[str, str]:
        names = [name for file in self._lift.files for name in (file.name, file.key) if name is not None]
        names += [each.id for each in self._lift.interpreters]
        return {name: digest for name in names if (digest := self.find(name)) is not None}

    def _of_file(self, file: EmbeddedFile) -> str | None:
        if file.digest is not None and file.digest.fingerprint is not None:
            return file.digest.fingerprint
        if self._files is None:
            return _UNKNOWN
        # What a binding prints may have no digest.
        return file_digest(self._files[file.name]) if file.name in self._files else None


def _payload_commands(
    start: Command, payload: Payload, scripts: Mapping[str, str]
) -> Iterator[tuple[str, Command]]:
    """The commands of the payload, which `start` starts: its entry point, or some of its `scripts`."""
    if payload.scripts is None:
        yield "", start
        return
    check_scripts(payload, scripts)
    names = tuple(scripts) if isinstance(payload.scripts, str) else payload.scripts
    commands = {name: _script_command(start, name, scripts[name]) for name in names}
    if payload.default is not None:
        yield "", _script_command(start, payload.default, scripts[payload.default])
    yield from commands.items()


def check_scripts(payload: Payload, scripts: Collection[str]) -> None:
    """Raises CzscieError when `payload` names a script that is not one of its `scripts`."""
    named = () if payload.scripts is None or isinstance(payload.scripts, str) else payload.scripts
    for name in (*(() if payload.default is None else (payload.default,)), *named):
        if name not in scripts:
            raise _no_script(name, scripts)


def _script_command(start: Command, name: str, entry_point: str) -> Command:
    """A command that lets `czscie_boot` start a script in place of the payload's entry point."""
    environment = {**start.env, "=__CZSCIE_SCRIPT__": _literal(f"{name}={entry_point}")}
    return msgspec.structs.replace(start, env=environment, description=None)


def _check_names(lift: Lift, commands: Collection[str]) -> None:
    """Raises CzscieError for a command of the lift that has the name of one of the payload's `commands`."""
    for command in lift.commands:
        if command.name in commands:
            raise CzscieError(
                f"{command.key}.name: {command.name} is a script of the payload",
                code=Code.NAME_TAKEN,
                hint="give the command another name, or leave the script out of lift.payload.scripts",
            )


def _no_script(name: str, scripts: Collection[str]) -> CzscieError:
    near = nearest(name, scripts)
    return CzscieError(
        f"the payload has no script {name}",
        code=Code.ENTRY_POINT_MISSING,
        why=f"its scripts are: {', '.join(scripts)}" if scripts else "it has no scripts",
        hint=None if near is None else f"did you mean {near}?",
    )


def _literal(text: str) -> str:
    return text.replace("{", "{{")


@dataclass(slots=True)
class _Translation:
    """A command of the manifest, called `key`, in terms of what the launcher knows.

    `terminals` are the variables that interpreters with descriptions of terminals need, by their ids.
    `bindings` are those that the command needs, and `computed` the kinds of names that are known only when it
    is started.
    """

    key: str
    lift: Lift
    terminals: Mapping[str, Variables]
    hashes: _Hashes
    launchers: Collection[str] = _LAUNCHERS
    bindings: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    lazy: Mapping[str, str] = field(default_factory=dict)

    def command(self, command: LiftCommand) -> Command:
        exe = self.text(command.exe, "exe")
        environment = self._environment(command.env)
        for identifier, variables in self.terminals.items():
            if exe.startswith(self._roots(identifier)) and not environment.keys() & _OF_TERMINFO_DIRS:
                environment |= variables
        args = (self.text(argument, f"args[{index}]") for index, argument in enumerate(command.args))
        return Command(exe=exe, args=tuple(args), env=environment, description=command.description)

    def _roots(self, identifier: str) -> tuple[str, ...]:
        """Where the programs of the interpreter `identifier` are: in it, or in its virtual environment."""
        payload = self.lift.payload
        runs_payload = payload is not None and payload.interpreter == identifier
        return (f"{{{identifier}}}/", *((f"{{{PAYLOAD}}}/",) if runs_payload else ()))

    def _environment(self, env: Environment) -> dict[str, str | None]:
        environment: dict[str, str | None] = {f"={name}": None for name in env.remove_exact}
        for name, value in env.default.items():
            environment[name] = self.text(value, f"env.default.{name}")
        for name, value in env.replace.items():
            environment[f"={name}"] = self.text(value, f"env.replace.{name}")
        for index, pattern in enumerate(env.remove_re):
            self._check_pattern(pattern, f"env.remove_re[{index}]")
            # A key of its own, and none that means a replacement.
            taken = pattern in env.default or pattern.startswith("=")
            environment[f"(?:{pattern})" if taken else pattern] = None
        return environment

    def _check_pattern(self, pattern: str, where: str) -> None:
        try:
            check_expression(pattern)
        except ExpressionError as error:
            raise CzscieError(
                f"{self._place(where)}: the launcher does not support the regular expression {pattern}",
                code=Code.PLACEHOLDER,
                why=f"at character {error.position + 1}: {error}",
            ) from error

    def text(self, text: str, where: str) -> str:
        """`text` with the placeholders of the launcher checked, and names of files replaced by places."""
        try:
            return template.rewrite(text, lambda content: self._placeholder(content, where))
        except template.UnendedPlaceholder as error:
            raise CzscieError(
                f"{self._place(where)}: a placeholder has no closing brace",
                code=Code.PLACEHOLDER,
                why=text,
                hint="write {{ for a literal brace",
            ) from error

    def _place(self, where: str) -> str:
        return f"{self.key}.{where}" if where else self.key

    def _placeholder(self, content: str, where: str) -> str:
        """What the launcher gets for a placeholder, given without its braces."""
        prefix = next((prefix for prefix in template.OPTIONAL if content.startswith(prefix)), None)
        if prefix is not None:
            return self._optional(prefix, content, where)
        if "{" in content:
            return self._computed(content, where)
        if content in self.launchers:
            return f"{{{content}}}"
        if self.launchers is not _HOST:
            found = self._file(content, where)
            if found is not None:
                return found
        raise self._unknown(content, where)

    def _optional(self, prefix: str, content: str, where: str) -> str:
        name, default = template.split_default(content.removeprefix(prefix))
        if prefix == _BINDING:
            binding = name.partition(":")[0]
            if self.launchers is _HOST or binding not in {each.name for each in self.lift.bindings}:
                raise self._unknown(content, where)
            self.bindings.add(binding)
        elif prefix == _CACHE and (name or default is None):
            raise self._unknown(content, where)
        made = prefix + self.text(name, where)
        return f"{{{made}}}" if default is None else f"{{{made}={self.text(default, where)}}}"

    def _computed(self, content: str, where: str) -> str:
        """A file whose name has placeholders itself."""
        if self.launchers is _HOST:
            raise self._unknown(content, where)
        self.computed.add(_HASH if content.startswith(_HASH) else _BY_FILE)
        return f"{{{self.text(content, where)}}}"

    def _file(self, content: str, where: str) -> str | None:
        name = content.removeprefix(_HASH).removeprefix(_BY_FILE)
        file = next((each for each in self.lift.files if name and name in (each.name, each.key)), None)
        if content.startswith(_HASH):
            digest = self.hashes.find(name)
            if digest is None:
                raise CzscieError(
                    f"{self._place(where)}: {{{content}}} cannot be built",
                    code=Code.PLACEHOLDER,
                    why="files and interpreters have a hash; directories and the payload have none",
                )
            return digest
        if file is not None:
            return self.lazy.get(file.id, f"{{{FILES}}}/{file.name}")
        if name == self.lift.ptex_id:
            return self.lazy.get(name, f"{{{name}}}")
        known = name in (each.id for each in self.lift.interpreters) or (
            name == PAYLOAD and self.lift.payload is not None
        )
        return f"{{{content}}}" if known else None

    def _unknown(self, content: str, where: str) -> CzscieError:
        return CzscieError(
            f"{self._place(where)}: the launcher does not know the placeholder {{{content}}}",
            code=Code.PLACEHOLDER,
            why=f"it knows {_KNOWN if self.launchers is not _HOST else _KNOWN_IN_BASE}",
            hint="write {{ for a literal brace",
        )
