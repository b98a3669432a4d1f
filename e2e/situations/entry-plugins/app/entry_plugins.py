from importlib.metadata import distribution, entry_points


def main():
    for point in sorted(entry_points(group="entry_plugins.hooks")):
        print(point.name, point.load()(), point.dist.name, point.dist.version)
    for name in ("ep-good", "ep-listing"):
        found = distribution(name)
        print(found.metadata["Name"], sorted(str(path) for path in found.files if path.suffix == ".py"))
        print(all(path.locate().exists() for path in found.files if path.suffix == ".txt"))
