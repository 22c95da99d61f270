# shellcheck shell=bash disable=SC2034
image=altinn-local/azurite:3.35
built_from=(base)
