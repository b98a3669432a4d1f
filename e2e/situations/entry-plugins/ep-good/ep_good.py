def hook():
    return "good"
