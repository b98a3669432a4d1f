from run_modules.job import RESULT
