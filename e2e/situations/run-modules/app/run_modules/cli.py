import os
import runpy
import sys


def main():
    here = os.path.dirname(__file__)
    print(runpy.run_module("run_modules.job")["RESULT"])
    print(runpy.run_module("run_modules.sub", run_name="__main__", alter_sys=True)["RESULT"])
    told = runpy.run_path(os.path.join(here, "job.py"), {"GIVEN": 3})
    print(told["RESULT"], told["__file__"], told["__name__"])
    print(runpy.run_path(os.path.join(here, "sub"))["RESULT"])
    print(runpy.run_path("local.py")["RESULT"])
    print("run_modules.job" in sys.modules)
