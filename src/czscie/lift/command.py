"""The commands of a scie, and its bindings: commands that run once, before the first that needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from czscie.lift.table import SOMETHING, Shape, Table

_VARIABLE = Shape.of("a variable's name without =", r"[^\0=]+")
#: Manifests in the wild write replacements the way scie-jump's JSON does, with = before the name.
_DEFAULT_VARIABLE = Shape.of("a variable's name, with = before it to replace the value", r"=?[^\0=]+")


@dataclass(frozen=True, slots=True)
class Environment:
    """Changes to a command's environment, in order: removals, defaults, replacements.

    `remove_re` are regular expressions in the syntax of scie-jump, which is that of Rust's regex crate.
    """

    default: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)
    remove_exact: tuple[str, ...] = ()
    remove_re: tuple[str, ...] = ()

    @classmethod
    def read(cls, table: Table) -> Environment:
        default = table.text_table("default", _DEFAULT_VARIABLE)
        replace = table.text_table("replace", _VARIABLE)
        environment = cls(
            default={name: value for name, value in default.items() if not name.startswith("=")},
            replace={name[1:]: value for name, value in default.items() if name.startswith("=")} | replace,
            remove_exact=table.texts("remove_exact", _VARIABLE),
            remove_re=table.texts("remove_re", SOMETHING),
        )
        table.finish()
        return environment


@dataclass(frozen=True, slots=True)
class Command:
    """A program and how to start it. The command called "" is the default one. `key` is where it stands in
    the manifest, for messages.
    """

    name: str
    description: str | None
    exe: str
    args: tuple[str, ...]
    env: Environment
    key: str = field(compare=False)

    def texts(self) -> Iterator[str]:
        """Everything in which placeholders are expanded."""
        yield self.exe
        yield from self.args
        yield from self.env.default.values()
        yield from self.env.replace.values()

    @classmethod
    def read(cls, table: Table) -> Command:
        name = table.optional_text("name") or ""
        description = table.optional_text("description") or None
        exe = table.text("exe", SOMETHING)
        args = table.texts("args")
        env = table.optional_table("env")
        table.finish()
        environment = Environment() if env is None else Environment.read(env)
        return cls(name, description, exe, args, environment, table.key)
