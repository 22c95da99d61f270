# shellcheck shell=bash disable=SC2034
built_from=()
