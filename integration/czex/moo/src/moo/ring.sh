#!/bin/sh
echo bell
