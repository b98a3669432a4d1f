import os
import trace

from trace_report import work


def main():
    tracer = trace.Trace(count=1, trace=1, ignoredirs=[os.path.dirname(os.__file__)])
    tracer.runfunc(work.loop, 2)
    tracer.results().write_results(show_missing=True, coverdir="cover")
    for name in sorted(os.listdir("cover")):
        print(name)
        print(open(os.path.join("cover", name)).read())
