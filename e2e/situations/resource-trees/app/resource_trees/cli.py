from importlib.resources import as_file, files


def walk(root, depth=0):
    for each in sorted(root.iterdir(), key=lambda each: each.name):
        if each.name != "__pycache__":
            print("  " * depth + each.name, each.is_dir(), each.is_file())
            if each.is_dir():
                walk(each, depth + 1)


def main():
    root = files("resource_trees")
    walk(root)
    print(root == files("resource_trees"), len({root, files("resource_trees")}))
    print(sorted(path.relative_to(root).as_posix() for path in root.glob("**/*.py")))
    print(sorted(path.name for path in root.rglob("*.txt")))
    print((root / "loose" / "note.txt").read_text(), files("resource_trees.loose").joinpath("note.txt").name)
    print([each.name for each in files("resource_trees.loose").iterdir()])
    print((root / "sub" / "mod.py").stat().st_size, (root / "sub/mod.py").suffix, (root / "sub").exists())
    with as_file(root) as path:
        print(sorted(each.name for each in path.iterdir() if each.name != "__pycache__"))
    with as_file(files("resource_trees.sub") / "mod.py") as path:
        print(path.read_text())
    for name in ("missing.txt", "sub"):
        try:
            print((root / name).read_bytes())
        except OSError as error:
            print(type(error).__name__)
