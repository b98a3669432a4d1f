import importlib.resources
import os
import ssl
import zoneinfo

import certifi
import requests


def main():
    print(
        os.path.basename(certifi.where()), os.path.isfile(certifi.where()), len(certifi.contents()) > 100000
    )
    print(len(ssl.create_default_context(cafile=certifi.where()).get_ca_certs()) > 100)
    zoneinfo.reset_tzpath([])
    print(zoneinfo.ZoneInfo("Europe/Oslo").utcoffset(None), len(zoneinfo.available_timezones()) > 400)
    print(importlib.resources.files("tzdata").joinpath("zones").is_file())
    print(requests.certs.where() == certifi.where(), requests.utils.default_headers()["Accept"])
    try:
        requests.get("http://127.0.0.1:9")
    except requests.ConnectionError as error:
        print(type(error).__name__)
