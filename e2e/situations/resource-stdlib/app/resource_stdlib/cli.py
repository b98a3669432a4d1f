from importlib.resources import as_file, files


def main():
    root = files("json")
    print(sorted(each.name for each in root.iterdir() if each.name.endswith(".py")))
    print(sorted(each.name for each in root.glob("*.py")))
    print(sorted(each.name for each in files("email").glob("**/t*.py")))
    print(root == files("json"), len({root, files("json")}), root / "tool.py" == files("json") / "tool.py")
    print((root / "tool.py").is_file(), "argparse" in (root / "tool.py").read_text())
    with as_file(root / "tool.py") as path:
        print(path.name, path.is_file())
    with as_file(root) as path:
        print(sorted(each.name for each in path.glob("*.py")))
