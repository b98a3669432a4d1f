"""Checks across the tables of a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from czscie.container.paths import folded, path_fault
from czscie.lift.embedded_file import NAME
from czscie.lift.lift import Lift
from czscie.lift.placeholders import Placeholder, references
from czscie.lift.problem import Key, key_text, nearest, one_of, quoted
from czscie.lift.table import Table


def check(lift: Lift, table: Table) -> None:
    """Record with `table`, which `lift` was read from, where its tables contradict each other."""
    check_files(lift, table)
    _check_names(lift, table)
    _check_groups(lift, table)
    _check_start(lift, table)
    _check_interpreter_of_payload(lift, table)
    _check_references(lift, table)


def check_files(lift: Lift, table: Table) -> None:
    """Record with `table` which of the files of `lift` take the ids or the places of others."""
    _check_ids(lift, table)
    _check_places(lift, table)


def _check_ids(lift: Lift, table: Table) -> None:
    """Interpreters, groups and files share one namespace of placeholders."""
    ids: list[tuple[Key, str]] = []
    for index, interpreter in enumerate(lift.interpreters):
        ids.append((("interpreters", index, "id"), interpreter.id))
    for index, group in enumerate(lift.interpreter_groups):
        ids.append((("interpreter_groups", index, "id"), group.id))
    for index, file in enumerate(lift.files):
        ids.append((("files", index, "name" if file.key is None else "key"), file.id))
    for key, identifier in ids:
        if identifier == "payload" and lift.payload is not None:
            table.reject(*key, allowed="another id, as {payload} is what lift.payload becomes")
    _check_unique(table, "an id", ((key, identifier) for key, identifier in ids if identifier))


def _check_places(lift: Lift, table: Table) -> None:
    """Every file has a place of its own in the executable."""
    folds = any(platform.os in ("windows", "macos") for platform in lift.platforms)
    places: dict[str, bool] = {}  # and whether it is a plain file for sure
    for index, file in enumerate(lift.files):
        if not NAME.accepts(file.name):
            continue
        if fault := path_fault(file.name):
            table.reject(
                *("files", index, "name"),
                found=f"{quoted(file.name)}, which {fault}",
                allowed="a relative path, which is also its place in the executable",
            )
            continue
        place = folded(file.name) if folds else file.name
        parents = (place[:end] for end, letter in enumerate(place) if letter == "/")
        plain = file.type == "blob" or (file.source is not None and file.kind == "blob")
        if (
            place in places
            or any(places.get(parent) for parent in parents)
            or (plain and any(other.startswith(f"{place}/") for other in places))
        ):
            table.reject("files", index, "name", allowed="a path that no other file of the lift has")
        places.setdefault(place, plain)


def _check_names(lift: Lift, table: Table) -> None:
    for kind, commands in (("commands", lift.commands), ("bindings", lift.bindings)):
        _check_unique(
            table, "a name", (((kind, index, "name"), command.name) for index, command in enumerate(commands))
        )


def _check_unique(table: Table, what: str, entries: Iterable[tuple[Key, str]]) -> None:
    taken: dict[str, Key] = {}
    for key, name in entries:
        first = taken.setdefault(name, key)
        if first != key:
            table.reject(*key, allowed=f"{what} that {key_text((*table.where, *first[:-1]))} does not have")


def _check_groups(lift: Lift, table: Table) -> None:
    providers = {interpreter.id: type(interpreter) for interpreter in lift.interpreters}
    if "" in providers:  # a problem of its own: any member may be meant to be this one
        return
    some = one_of(tuple(providers)) if providers else "the ids of interpreters, of which there are none"
    for index, group in enumerate(lift.interpreter_groups):
        members = ("interpreter_groups", index, "members")

        for place, member in enumerate(group.members):
            if member not in providers:
                table.reject(*members, place, allowed=some, options=providers)
        if len({providers[member] for member in group.members if member in providers}) > 1:
            table.reject(*members, found="different providers", allowed="interpreters of one provider")


def _check_start(lift: Lift, table: Table) -> None:
    """The payload may be the default command; without a payload there must be a command."""
    if lift.payload is None:
        if not lift.commands:
            table.reject(
                found="neither payload nor commands",
                allowed="one of them, or both",
                lacks=("payload", "commands"),
            )
        return
    if not lift.interpreters:
        table.reject("interpreters", allowed="at least one interpreter, because there is a payload")
    for index, command in enumerate(lift.commands):
        if not command.name and lift.payload.is_default_command:
            table.reject(
                "commands", index, "name", allowed="a name, because the payload is the default command"
            )


def _check_interpreter_of_payload(lift: Lift, table: Table) -> None:
    """The interpreter of the payload can run it on every platform."""
    for index, interpreter in enumerate(lift.interpreters):
        if lift.payload is None or lift.payload.interpreter != interpreter.id:
            continue
        for key, allowed in dict.fromkeys(filter(None, map(interpreter.no_payload_on, lift.platforms))):
            table.reject("interpreters", index, key, allowed=allowed)


def _check_references(lift: Lift, table: Table) -> None:
    """Every `#{id}` and `#{id:name}` must name an interpreter or a group."""
    files = {interpreter.id: interpreter.FILES for interpreter in lift.interpreters}
    if "" in files:  # a problem of its own: any placeholder may be meant for this one
        return
    for group in lift.interpreter_groups:
        files[group.id] = next((files[member] for member in group.members if member in files), ())
    known = [f"#{{{owner}}}" for owner in files]
    known += [f"#{{{owner}:{name}}}" for owner, names in files.items() for name in names]
    for key, text in _expanded_texts(lift, table):
        for reference in references(text):
            if reference.text not in known and not _is_for_the_launcher(reference, lift):
                table.reject(
                    *key,
                    found=quoted(reference.text),
                    allowed=", ".join(known) or "no such placeholder, as there are no interpreters",
                    meant=nearest(reference.text, known),
                )


def _expanded_texts(lift: Lift, table: Table) -> Iterator[tuple[Key, str]]:
    """Every string in which science expands its placeholders."""
    for kind, commands in (("commands", lift.commands), ("bindings", lift.bindings)):
        for index in range(len(commands)):
            for field in (("exe",), ("args",), ("env", "default"), ("env", "replace")):
                yield from table.strings(kind, index, *field)


def _is_for_the_launcher(reference: Placeholder, lift: Lift) -> bool:
    """Whether this is an ordinary # before a placeholder of the launcher: `{scie}`, `{scie.…}` or a file."""
    files = {name for file in lift.files for name in (file.name, file.key)}
    return reference.id == "scie" or reference.id.startswith("scie.") or reference.id in files
