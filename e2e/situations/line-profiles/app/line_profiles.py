import io

import line_profiler
import pdoc

import line_profiles_part as part


def main():
    profiler = line_profiler.LineProfiler(part.work)
    profiler.runcall(part.work, 3)
    told = io.StringIO()
    profiler.print_stats(told)
    print("for each in range(count):" in told.getvalue(), part.__file__ in told.getvalue())
    ((_, timings),) = profiler.get_stats().timings.items()
    print([(line, hits) for line, hits, _ in timings])
    page = pdoc.pdoc("line_profiles_part")
    print("Adds numbers" in page, "view-source" in page, "total" in page)
