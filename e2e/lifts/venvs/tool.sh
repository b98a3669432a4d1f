#!/bin/sh
# Installs a program, as `PEX_TOOLS=1 a.pex venv` does, or says which environment it is in.
if [ "$1" = repl ]; then
    echo "repl in ${VENV##*/}"
    exit
fi
mkdir -p "$2/bin"
echo "tool installs with PEX_TOOLS=$PEX_TOOLS PEX_ROOT=$PEX_ROOT" >&2
printf '#!/bin/sh\necho "tool builds $* with PEX_ROOT=$PEX_ROOT"\n' >"$2/bin/tool"
chmod +x "$2/bin/tool"
