import beside
from subprocess_self import worker

worker.main([beside.NAME])
