import curses
import os
import pty
import readline
import shutil


def main():
    curses.setupterm("xterm-256color", 1)
    print(curses.tigetnum("colors"), curses.tigetstr("cup"))
    curses.setupterm("dumb", 1)
    print(curses.tigetnum("cols"))
    readline.parse_and_bind("tab: complete")
    readline.add_history("a line")
    readline.write_history_file("history")
    with open("history") as stream:
        print(stream.read())
    print(shutil.get_terminal_size((70, 20)))
    parent, child = pty.openpty()
    os.write(child, b"through a terminal\n")
    print(os.read(parent, 100), os.isatty(child))
