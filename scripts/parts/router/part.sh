# shellcheck shell=bash disable=SC2034
image=altinn-local/router:1.22.1
built_from=(base)
