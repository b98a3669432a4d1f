from plugin_directory.plugins import add


def run(x):
    return add.run(x) * 2
