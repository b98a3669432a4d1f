#!/bin/sh
echo "two $1"
