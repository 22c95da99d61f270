# shellcheck shell=bash disable=SC2034
image=altinn-local/postgres:15
built_from=(base)
