import sys


def called():
    from typing_hooks.work import double

    try:
        return f"unchecked: {double('a')!r}"
    except Exception as error:
        return f"checked: {type(error).__name__}"


def main():
    hook = sys.argv[1]
    if hook == "typeguard":
        from typeguard import install_import_hook

        with install_import_hook("typing_hooks.work"):
            print(called())
    elif hook == "beartype":
        from beartype.claw import beartype_package

        beartype_package("typing_hooks.work")
        print(called())
        import colorsys
        import wave

        print(colorsys.__name__, wave.__name__)
    else:
        from jaxtyping import install_import_hook

        with install_import_hook("typing_hooks.work", "beartype.beartype"):
            print(called())
