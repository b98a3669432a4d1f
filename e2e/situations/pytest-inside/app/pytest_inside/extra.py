def pytest_itemcollected(item):
    item.add_marker("extra")


def pytest_configure(config):
    config.addinivalue_line("markers", "extra: added")
