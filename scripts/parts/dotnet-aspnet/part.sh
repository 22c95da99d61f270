# shellcheck shell=bash disable=SC2034
image=altinn-local/dotnet-aspnet:3.1
built_from=(base dotnet)
