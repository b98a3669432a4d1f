#!/bin/sh
exec /bin/sh "$@"
