import os
import site
import sys
import sysconfig


def main():
    paths = sysconfig.get_paths()
    for name in ("purelib", "platlib", "scripts", "data", "stdlib", "platstdlib", "include"):
        print(name, paths[name])
    print(site.getsitepackages(), site.ENABLE_USER_SITE, site.getsitepackages()[0] in sys.path)
    print(sys.prefix == sys.exec_prefix, sys.prefix != sys.base_prefix, sys.executable, sys._base_executable)
    print(sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_platform(), sysconfig.get_python_version())
    print([entry for entry in sys.path if entry.startswith((sys.base_prefix, paths["purelib"]))])
    print(os.path.isdir(paths["stdlib"]), os.path.isdir(paths["purelib"]), os.path.exists(sys.executable))
    print(sys.flags.optimize, sys.flags.dev_mode, sys.dont_write_bytecode, sys.pycache_prefix)
    print(sys.implementation.cache_tag, sys.orig_argv[0] == sys.executable, os.path.basename(sys.argv[0]))
