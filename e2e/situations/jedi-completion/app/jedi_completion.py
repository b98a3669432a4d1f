import griffe
import jedi

SOURCE = """import json
import jedi_completion_part
json.decoder.JSONDecoder().deco
jedi_completion_part.tw
import parso
parso.pars
"""


def main():
    script = jedi.Script(SOURCE, path="script.py", environment=jedi.InterpreterEnvironment())
    for line, column in ((3, 31), (4, 23), (6, 10)):
        print([each.name for each in script.complete(line, column)])
    for line, column in ((2, 10), (1, 9), (5, 8)):
        print(
            [
                (each.full_name, each.module_path and each.module_path.name)
                for each in script.infer(line, column)
            ]
        )
    print([each.complete for each in jedi.Interpreter("pars", [{"parser": 1}]).complete()])
    print(sorted(griffe.load("jedi_completion_part").members), griffe.load("json")["JSONDecoder"].is_alias)
    print(
        griffe.load("parso")["parse"].is_alias, griffe.load("parso.utils")["split_lines"].docstring.value[:20]
    )
