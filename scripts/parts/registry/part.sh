# shellcheck shell=bash disable=SC2034
image=altinn-local/registry:2.8
built_from=(base)
