import pkgutil
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pkg_resources


def main():
    print(sorted(name for name in pkg_resources.resource_listdir("pkgres", "plugins") if name[0] != "_"))
    print(pkg_resources.resource_isdir("pkgres.plugins", "sub"))
    print(pkg_resources.resource_exists("pkgres.plugins", "one.py"))
    print(pkg_resources.resource_string("pkgres.plugins", "one.py"))
    print(pkg_resources.resource_stream("pkgres.plugins", "one.py").read())
    print(pkg_resources.resource_filename("pkgres", "data/a.txt"))
    print(pkg_resources.resource_string("pkgres", "data/a.txt"))
    print(pkgutil.get_data("pkgres.plugins", "one.py"))
    print(pkg_resources.get_distribution("pkgres").version, pkg_resources.require("pkgres")[0])
