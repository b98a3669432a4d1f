import click
import typer

app = typer.Typer(add_completion=True)
group = typer.Typer(help="Nested commands.")
app.add_typer(group, name="group")


@app.command()
def greet(name: str, loud: bool = typer.Option(False, help="Shout.")):
    """Greets somebody."""
    typer.echo(f"hello {name}".upper() if loud else f"hello {name}")


@app.command()
def fail():
    """Ends with 4."""
    click.echo("failing", err=True)
    raise typer.Exit(4)


@group.command()
def inner(context: typer.Context, number: int):
    """Of a group."""
    print(number + 1, context.command_path)


def main():
    app()
