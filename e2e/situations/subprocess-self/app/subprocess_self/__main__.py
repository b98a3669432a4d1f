from . import worker

worker.main(["as a package"])
