from importlib import metadata


#: What pip writes.
INSTALLERS = {"INSTALLER", "REQUESTED", "direct_url.json"}


def thing():
    return "loaded"


def main():
    own = metadata.distribution("metadata-files")
    print(own.version, own.metadata["Name"], own.requires, own.read_text("top_level.txt"))
    print(sorted(str(path) for path in own.files if path.suffix != ".pyc" and path.name not in INSTALLERS))
    print(all(path.locate().exists() for path in own.files))
    print([(point.name, point.load()()) for point in metadata.entry_points(group="metadata.group")])
    print(metadata.packages_distributions()["metadata_files"])
    print("metadata-files" in {each.metadata["Name"] for each in metadata.distributions()})
    print(next(path for path in own.files if path.name == "METADATA").read_text()[:20])
    try:
        metadata.version("not-there")
    except metadata.PackageNotFoundError as error:
        print(error)
