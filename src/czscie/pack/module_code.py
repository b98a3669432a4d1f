"""What compilers make of modules, kept by what each module is: a change of one compiles one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec

from czscie.build_cache import key_of, knowledge_of_each
from czscie.pack.compiler import Compiler, Expression, Source
from czscie.progress import Step, no_step


class ModuleCode(msgspec.Struct, frozen=True):
    """The marshalled code of a module, empty for one that does not compile, and its regular expressions.

    `skips` are lines about limits that it exceeds.
    """

    code: bytes
    expressions: tuple[Expression, ...]
    skips: tuple[str, ...]


def code_of_each(
    compiler: Compiler, owner: str, sources: Sequence[Source], step: Step = no_step
) -> list[ModuleCode]:
    """What `compiler` makes of each of `sources`, from the cache where it can be.

    What belongs to one `owner` is kept together. `step` counts the modules. Raises CzscieError when the
    Python fails.
    """
    compiled = 0

    def make(missing: Sequence[int]) -> list[ModuleCode]:
        nonlocal compiled
        compiled = len(missing)
        step(len(sources) - compiled)
        wanted = [sources[number] for number in missing]
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(compiler.expressions, wanted, partial(step, 0))
            codes = compiler.compile(wanted, partial(step, 1))
            expressions = running.result()
        return [
            ModuleCode(code, tuple(found), tuple(filter(None, told)))
            for code, found, *told in zip(
                codes.results, expressions.results, codes.told, expressions.told, strict=True
            )
        ]

    key = key_of("modules", compiler.identity, owner)
    found = knowledge_of_each(key, ModuleCode, [_digest(*source) for source in sources], make)
    if not compiled:
        step(len(sources))
    return found


def expressions_of(modules: Iterable[Sequence[Expression]]) -> list[Expression]:
    """The regular expressions of several modules, each once; sorted."""
    return sorted({expression for found in modules for expression in found})


def _digest(name: str, source: bytes) -> str:
    digest = hashlib.sha256(f"{name}\0".encode("utf-8", "surrogateescape"))
    digest.update(source)
    return digest.hexdigest()
