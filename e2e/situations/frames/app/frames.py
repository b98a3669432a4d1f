import io
import os
import warnings

import numpy
import numpy.f2py
import pandas


def main():
    frame = pandas.read_csv(io.StringIO("a,b\n1,x\n2,y\n"))
    frame.to_pickle("kept.pkl")
    print(pandas.read_pickle("kept.pkl").equals(frame), frame.to_html(index=False).count("<td>"))
    print(frame.style.to_html().count("<td"), frame.query("a > 1")["b"].tolist())
    print(os.path.isfile(os.path.join(numpy.get_include(), "numpy", "arrayobject.h")))
    print(numpy.testing.assert_allclose([1.0], [1.0]), hasattr(numpy, "f2py"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        numpy.array([1.0]) / 0
        print([(each.filename, each.category.__name__) for each in caught])
    print(numpy.get_printoptions()["precision"])
    numpy.source(numpy.fliplr) if hasattr(numpy, "source") else print("no source")
