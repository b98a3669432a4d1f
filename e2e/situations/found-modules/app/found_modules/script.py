import colorsys
import json

import found_modules.part
import not_there
