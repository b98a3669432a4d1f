#!/bin/sh
echo "${1##*/} $2 $3"
echo "$A $B ${GONE-unset} ${SHIV_X-unset} ${SHIV_ROOT##*/} $PATH"
cat "$DOCS/index.html"
