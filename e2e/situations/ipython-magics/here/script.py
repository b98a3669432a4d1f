import ipython_magics_part

print("script", __name__, ipython_magics_part.twice(4))
