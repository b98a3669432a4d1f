import pluggy

implementation = pluggy.HookimplMarker("plugin_hosts")


class Loud:
    def say(self, word):
        return word.upper()


class Quiet:
    def say(self, word):
        return word.lower()


@implementation
def told(word):
    return f"told {word}"
