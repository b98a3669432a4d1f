import pluggy
from stevedore import driver, enabled, extension

specification = pluggy.HookspecMarker("plugin_hosts")


class Hooks:
    @specification
    def told(self, word):
        """What a plugin says of a word."""


def main():
    manager = extension.ExtensionManager("plugin_hosts.words", invoke_on_load=True)
    print(
        sorted(manager.names()),
        sorted(each.obj.say("x") for each in manager),
        [e.module_name for e in manager],
    )
    print(driver.DriverManager("plugin_hosts.words", "loud", invoke_on_load=True).driver.say("y"))
    print(enabled.EnabledExtensionManager("plugin_hosts.words", lambda each: each.name != "loud").names())
    hooks = pluggy.PluginManager("plugin_hosts")
    hooks.add_hookspecs(Hooks)
    print(hooks.load_setuptools_entrypoints("plugin_hosts.hooks"), hooks.hook.told(word="z"))
    print([(plugin.__name__, found.metadata["Name"]) for plugin, found in hooks.list_plugin_distinfo()])
