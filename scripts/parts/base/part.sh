# shellcheck shell=bash disable=SC2034
image=altinn-local/base:bookworm
built_from=()
