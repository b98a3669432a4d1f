import os
import shutil
import subprocess
import sys
import zipapp
import zipfile
import zipimport

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    os.mkdir("tree")
    shutil.copytree(HERE, "tree/archives", ignore=shutil.ignore_patterns("__pycache__"))
    print(sorted(os.listdir("tree/archives")))
    zipapp.create_archive("tree", "app.pyz", main="archives.inner:main")
    print(subprocess.run([sys.executable, "app.pyz", "x"], capture_output=True, text=True).stdout)
    with zipfile.PyZipFile("compiled.zip", "w") as archive:
        archive.writepy(HERE)
        print(sorted(archive.namelist()))
    shutil.make_archive("sources", "zip", HERE, ".")
    importer = zipimport.zipimporter("sources.zip")
    print(importer.get_source("inner").splitlines()[0], importer.find_spec("nothing"))
    sys.path.insert(0, "sources.zip")
    import inner

    inner.main()
    print(os.path.basename(os.path.dirname(inner.__file__)))
