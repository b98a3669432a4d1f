from subprocess_self import worker

worker.main(["from a script"])
