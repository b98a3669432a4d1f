import inspect
import json.decoder
import textwrap

from inspect_source import shapes


def where():
    return [
        (inspect.getmodule(frame.frame).__name__, frame.function, frame.code_context[0].strip())
        for frame in inspect.stack()[:2]
    ]


def main():
    print(inspect.getsource(shapes.Shape))
    print(inspect.getsource(shapes.Shape.area), inspect.getcomments(shapes.Shape))
    print(inspect.getsourcelines(shapes.wrapped))
    print(
        inspect.getsourcefile(shapes), inspect.getfile(shapes.Shape), inspect.getmodulename(shapes.__file__)
    )
    print(inspect.getdoc(shapes.Shape), inspect.signature(shapes.Shape))
    print(textwrap.dedent(inspect.getsource(json.decoder.JSONDecoder.decode)).splitlines()[0])
    print(inspect.getsource(json).startswith('r"""JSON'), inspect.getsourcefile(json.loads))
    print(where())
    print(inspect.getframeinfo(inspect.currentframe()).code_context)
    print(
        inspect.getblock(inspect.getsourcelines(shapes.Shape)[0]) == inspect.getsourcelines(shapes.Shape)[0]
    )
