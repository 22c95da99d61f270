# shellcheck shell=bash disable=SC2034
image=altinn-local/traefik:3.7.15
built_from=(base)
