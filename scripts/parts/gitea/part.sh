# shellcheck shell=bash disable=SC2034
image=altinn-local/gitea:1.21.10
built_from=(base)
