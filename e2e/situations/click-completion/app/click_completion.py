import argparse
import os
import subprocess
import sys

import argcomplete
import click


@click.command()
@click.option("--colour", type=click.Choice(["red", "green"]))
def command(colour):
    print(colour)


def main():
    which = sys.argv[1]
    if os.environ.get("SITUATION") == "argcomplete":
        parser = argparse.ArgumentParser()
        parser.add_argument("word", choices=["alpha", "beta"])
        with open("completed", "w") as stream:
            argcomplete.autocomplete(
                parser, exit_method=lambda status: (stream.close(), os._exit(status)), output_stream=stream
            )
    elif which == "argcomplete":
        variables = {
            "_ARGCOMPLETE": "1",
            "COMP_LINE": "click-completion a",
            "COMP_POINT": "18",
            "SITUATION": which,
        }
        subprocess.run(["click-completion", "x"], env={**os.environ, **variables})
        print(open("completed").read().replace("\013", " "))
    elif which == "source":
        os.environ["_CLICK_COMPLETION_COMPLETE"] = "bash_source"
        command(prog_name="click-completion")
    elif which == "complete":
        os.environ.update(
            _CLICK_COMPLETION_COMPLETE="bash_complete",
            COMP_WORDS="click-completion --colour ",
            COMP_CWORD="2",
        )
        command(prog_name="click-completion")
