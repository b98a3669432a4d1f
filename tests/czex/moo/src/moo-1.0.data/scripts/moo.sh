#!/bin/sh
echo moo
