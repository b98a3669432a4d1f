import bz2
import configparser
import csv
import email
import email.policy
import gzip
import html
import io
import lzma
import mimetypes
import plistlib
import tarfile
import tomllib
import xml.etree.ElementTree as ElementTree
import zlib
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText


def main():
    message = MIMEMultipart(boundary="b")
    message["Subject"] = "Grüße"
    message.attach(MIMEText("hällo", "plain", "utf-8"))
    print(message.as_string())
    print(email.message_from_string(message.as_string(), policy=email.policy.default)["subject"])
    print(mimetypes.guess_type("a.svg"), html.unescape("&auml;"), tomllib.loads("a = 1"))
    print(
        ElementTree.fromstring("<a><b c='1'/></a>").find("b").attrib, plistlib.loads(plistlib.dumps({"a": 1}))
    )
    print(list(csv.DictReader(io.StringIO("a,b\n1,2\n"))), csv.list_dialects())
    parser = configparser.ConfigParser()
    parser.read_string("[a]\nb = %(c)s\nc = 2\n")
    print(parser["a"]["b"])
    for module in (bz2, gzip, lzma, zlib):
        print(module.__name__, module.decompress(module.compress(b"a" * 99)) == b"a" * 99)
    with tarfile.open("made.tar.xz", "w:xz") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
    print(tarfile.open("made.tar.xz").getnames())
