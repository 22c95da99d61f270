# shellcheck shell=bash disable=SC2034
image=altinn-local/kind-node:1.34.4
built_from=(base node-base kubernetes etcd coredns local-path traefik)
