# shellcheck shell=bash disable=SC2034
image=altinn-local/dotnet-sdk:3.1
built_from=(dotnet-aspnet dotnet)
