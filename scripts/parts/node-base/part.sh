# shellcheck shell=bash disable=SC2034
image=altinn-local/node-base:bookworm
built_from=(base kind)
