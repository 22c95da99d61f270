# shellcheck shell=bash disable=SC2034
image=altinn-local/router:1.25.4
built_from=(base)
