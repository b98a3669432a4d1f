import os
import pickle
import subprocess
import sys

import cloudpickle
import dill
import dill.source
import joblib

from shared_work import jobs


def main():
    print(joblib.Parallel(n_jobs=2)(joblib.delayed(jobs.square)(each) for each in range(4)))
    print(
        joblib.Parallel(n_jobs=2, backend="multiprocessing")(
            joblib.delayed(jobs.square)(each) for each in range(3)
        )
    )
    factor = 3
    print(joblib.Parallel(n_jobs=2)(joblib.delayed(lambda x: x * factor)(each) for each in range(3)))
    memory = joblib.Memory("memory", verbose=0)
    cached = memory.cache(jobs.square)
    print(cached(5), cached(5), cached.check_call_in_cache(5))
    print(sorted(name for root, _, names in os.walk("memory") for name in names if name == "func_code.py"))
    with open("kept", "wb") as stream:
        cloudpickle.dump([lambda x: x + factor, jobs.square], stream)
    code = "import pickle; print([each(2) for each in pickle.load(open('kept', 'rb'))])"
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    cloudpickle.register_pickle_by_value(jobs)
    print(b"jobs" in cloudpickle.dumps(jobs.square), pickle.loads(cloudpickle.dumps(jobs.square))(4))
    print(
        dill.loads(dill.dumps(jobs))(1)
        if callable(jobs)
        else dill.loads(dill.dumps(lambda: jobs.square(6)))()
    )
    print(dill.source.getsource(jobs.square), dill.source.importable(jobs.square))
