RESULT = ("job", __name__, __package__, globals().get("GIVEN"))
