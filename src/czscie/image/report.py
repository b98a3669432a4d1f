"""Reports about images, for people and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console as RichConsole
from rich.table import Table

from czscie.console import megabytes
from czscie.image.build import BuiltImages


def print_images(made: BuiltImages, out: RichConsole) -> None:
    """A table: a line for each layer of each image."""
    for image in made.images:
        table = Table(box=None, pad_edge=False)
        table.add_column(f"{made.reference.text} {image.platform.name}")
        table.add_column("packed", justify="right")
        table.add_column("digest")
        for layer in image.layers:
            table.add_row(layer.comment, megabytes(layer.blob.size), layer.blob.digest[:12])
        table.add_row("total", megabytes(image.size), image.manifest.digest[:12])
        out.print(table, soft_wrap=True)


def as_json(made: BuiltImages) -> dict[str, Any]:
    return {
        "name": made.reference.text,
        "images": [
            {
                "platform": image.platform.name,
                "digest": f"sha256:{image.manifest.digest}",
                "configuration": f"sha256:{image.configuration.digest}",
                "size": image.size,
                "layers": [
                    {
                        "comment": layer.comment,
                        "digest": f"sha256:{layer.blob.digest}",
                        "diff_id": f"sha256:{layer.diff_id}",
                        "size": layer.blob.size,
                    }
                    for layer in image.layers
                ],
            }
            for image in made.images
        ],
    }
